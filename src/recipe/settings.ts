import type { IssueList } from './issue-list.js';
import { methodsInUse } from './methods-in-use.js';
import type { MethodDefinition, MethodParameter } from './methods/method.js';
import type { Path } from './pointers.js';
import type { Scalar } from './scalars.js';
import type { Parameters, Recipe, Setting } from './schema.js';

/** The recipe with every parameter in its method's type: `1.0` where a boolean is meant is true, true where a number is meant is 1. */
export function withTypedParameters(recipe: Recipe, issues: IssueList): Recipe {
  const methods = methodsInUse(recipe);
  const typed = <T extends { parameters?: Parameters | undefined }>(holder: T, path: Path): T =>
    holder.parameters === undefined
      ? holder
      : { ...holder, parameters: typeParameters(holder.parameters, methods, [...path, 'parameters'], issues) };
  const parts = <T extends Pick<Recipe, 'models' | 'slices'>>(part: T, path: Path): T => ({
    ...part,
    ...(part.models && { models: part.models.map((model, index) => typed(model, [...path, 'models', index])) }),
    ...(part.slices && {
      slices: part.slices.map((slice, index) => {
        const place = [...path, 'slices', index];
        const sources = slice.sources.map((source, at) => typed(source, [...place, 'sources', at]));
        return { ...typed(slice, place), sources };
      }),
    }),
  });
  const modules = Object.entries(recipe.modules ?? {}).map(([name, module]) => {
    const place = ['modules', name];
    return [name, parts(typed(module, place), place)] as const;
  });
  const overrides = recipe.overrides?.map((override, index) => typed(override, ['overrides', index]));
  return {
    ...parts(typed(recipe, []), []),
    ...(overrides && { overrides }),
    ...(recipe.modules && { modules: Object.fromEntries(modules) }),
  };
}

function typeParameters(
  parameters: Parameters,
  methods: readonly MethodDefinition[],
  path: Path,
  issues: IssueList,
): Parameters {
  const typed: Parameters = {};
  for (const [name, setting] of Object.entries(parameters)) {
    const parameter = methods.map((method) => method.parameters[name]).find((found) => found !== undefined);
    if (parameter !== undefined) typed[name] = typeSetting(setting, name, parameter, [...path, name], issues);
  }
  return typed;
}

function typeSetting(
  setting: Setting,
  name: string,
  parameter: MethodParameter,
  path: Path,
  issues: IssueList,
): Setting {
  const scalar = (value: Scalar, place: Path): Scalar => typeScalar(value, name, parameter, place, issues);
  const gradient = (values: Scalar[], place: Path): Scalar[] => {
    if (parameter.type === 'integer' && values.length > 1) {
      issues.error(
        'gradient_not_possible',
        place,
        `“${name}” is an integer, which cannot change gradually from layer to layer.`,
      );
    }
    return values.map((value, index) => scalar(value, [...place, index]));
  };
  if (!Array.isArray(setting)) return scalar(setting, path);
  if (setting.every((entry) => typeof entry !== 'object')) return gradient(setting, path);
  return setting
    .filter((entry) => typeof entry === 'object')
    .map((entry, index) => {
      // A single condition may stand without a list around it; then there is no index that would lead to it.
      const place = setting.length === 1 ? path : [...path, index, 'value'];
      const value = Array.isArray(entry.value) ? gradient(entry.value, place) : scalar(entry.value, place);
      return { ...entry, value };
    });
}

function typeScalar(value: Scalar, name: string, parameter: MethodParameter, path: Path, issues: IssueList): Scalar {
  const word = meaningOf(value, parameter);
  if (word !== undefined) return word;
  if (parameter.type === 'boolean') return typeBoolean(value, name, parameter, path, issues);
  if (typeof value === 'string') return notANumber(value, name, path, issues);
  const number = Number(value);
  if (parameter.type === 'integer' && !Number.isSafeInteger(number)) {
    issues.error('not_an_integer', path, `“${name}” must be an integer, not ${number}.`);
  } else if (number < (parameter.min ?? -Infinity) || number > (parameter.max ?? Infinity)) {
    issues.error('out_of_range', path, `“${name}” must be ${rangeText(parameter)}, not ${number}.`);
  }
  return number;
}

/** What a word of the parameter stands for. */
function meaningOf(value: Scalar, { words }: MethodParameter): Scalar | undefined {
  return typeof value === 'string' && words !== undefined && Object.hasOwn(words, value) ? words[value] : undefined;
}

function typeBoolean(value: Scalar, name: string, { words }: MethodParameter, path: Path, issues: IssueList): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  const choices = ['true', 'false', ...Object.keys(words ?? {})];
  const text = choices.length === 2 ? 'either true or false' : `one of ${choices.join(', ')}`;
  issues.error('not_a_boolean', path, `“${name}” is ${text}, not ${value}.`);
  return false;
}

function notANumber(word: string, name: string, path: Path, issues: IssueList): number {
  issues.error('not_a_number', path, `“${name}” must be a number, not ${word}.`);
  return Number.NaN;
}

function rangeText({ min, max }: MethodParameter): string {
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  return min === undefined ? `at most ${max}` : `at least ${min}`;
}
