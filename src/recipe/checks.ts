import { type GroupInput, type InputGroup, inputGroups, overridden } from './inputs.js';
import type { IssueList } from './issue-list.js';
import { firstMentions } from './duplicates.js';
import { methodsInUse } from './methods-in-use.js';
import type { MethodDefinition } from './methods/method.js';
import type { Path } from './pointers.js';
import type { Scalar } from './scalars.js';
import type { Parameters, Recipe, Setting } from './schema.js';
import { selectsEverything } from './selectors.js';

/** What MergeKit's planner would refuse before it has seen a tensor: forms, arity, base, layer ranges, missing parameters. */
export function checkRecipe(recipe: Recipe, issues: IssueList): void {
  checkForm(recipe, issues);
  checkCoefficients(recipe, issues);
  for (const written of inputGroups(recipe)) {
    checkDuplicates(written, issues);
    const group = { ...written, inputs: firstMentions(written.inputs) };
    checkLayers(group, issues);
    checkGroup(group, recipe, issues);
    recipe.overrides?.forEach((override, index) => {
      const changesInputs = override.merge_method !== undefined || override.base_model !== undefined;
      if (changesInputs) checkGroup(overridden(group, override, index), recipe, issues);
    });
  }
}

function checkGroup(group: InputGroup, recipe: Recipe, issues: IssueList): void {
  checkBase(group, group.method, issues);
  checkRequired(group, recipe, group.method, issues);
  checkWeightSum(group, recipe, group.method, issues);
}

function checkCoefficients(recipe: Recipe, issues: IssueList): void {
  const { coefficients } = recipe;
  const taking = methodsInUse(recipe).find(({ takesCoefficients }) => takesCoefficients);
  if (taking !== undefined && coefficients === undefined) {
    const message = `${taking.name} needs coefficients: the name of what holds them, as a model is named.`;
    issues.error('coefficients_required', ['coefficients'], message);
  } else if (taking === undefined && coefficients !== undefined) {
    issues.warn('ignored_key', ['coefficients'], 'No method of this recipe takes coefficients.', 'key');
  }
}

function checkForm(recipe: Recipe, issues: IssueList): void {
  const forms = (['models', 'slices', 'modules'] as const).filter((form) => size(recipe[form]) > 0);
  if (forms.length === 0) issues.error('no_inputs', [], 'A recipe needs models, slices or modules to merge.');
  if (forms.length > 1) {
    issues.error(
      'several_input_forms',
      [forms[1] ?? 'models'],
      `A recipe has only one of models, slices and modules, not ${forms.join(' and ')}.`,
      'key',
    );
  }
  for (const [name, module] of Object.entries(recipe.modules ?? {})) {
    const both = size(module.models) > 0 && size(module.slices) > 0;
    const neither = size(module.models) === 0 && size(module.slices) === 0;
    if (both)
      issues.error(
        'several_input_forms',
        ['modules', name],
        `Module “${name}” has models and slices; it needs one of them.`,
      );
    if (neither) issues.error('no_inputs', ['modules', name], `Module “${name}” needs models or slices to merge.`);
  }
  if (recipe.tokenizer !== undefined && recipe.tokenizer_source !== undefined) {
    issues.error(
      'tokenizer_twice',
      ['tokenizer_source'],
      'tokenizer_source and tokenizer exclude each other; keep one.',
      'key',
    );
  }
}

function size(list: object | undefined): number {
  return list === undefined ? 0 : Object.keys(list).length;
}

function checkDuplicates(group: InputGroup, issues: IssueList): void {
  const seen = new Set<string>();
  for (const { model, path } of group.inputs) {
    if (seen.has(model)) {
      issues.suspect(
        'duplicate_model',
        [...path, 'model'],
        `“${model}” is already an input here; only its first mention would count.`,
      );
    }
    seen.add(model);
  }
}

function checkBase(group: InputGroup, method: MethodDefinition, issues: IssueList): void {
  const { base } = group;
  if (method.base === 'required' && base === undefined) {
    const message = `${method.name} needs a base_model: the model that the others are compared with.`;
    issues.error('base_required', group.path[0] === 'overrides' ? group.path : ['base_model'], message);
  } else if (usesBase(method) && base !== undefined && !group.inputs.some(({ model }) => model === base)) {
    const message = `${method.name} needs the base_model “${base}” among the sources of this slice.`;
    issues.error('base_not_in_slice', [...group.path, 'sources'], message);
  } else checkArity(group, method, issues);
}

function usesBase(method: MethodDefinition): boolean {
  return method.base === 'required' || method.base === 'optional';
}

function checkArity(group: InputGroup, method: MethodDefinition, issues: IssueList): void {
  const hasBase = usesBase(method) && group.base !== undefined;
  const others = group.inputs.filter(({ model }) => !hasBase || model !== group.base).length;
  const beside = hasBase ? ' beside the base' : '';
  const models = (count: number): string => `${count} model${count === 1 ? '' : 's'}${beside}`;
  if (others < method.minModels) {
    const message = `${method.name} needs at least ${models(method.minModels)}, not ${others}.`;
    issues.error('too_few_models', group.path, message);
  }
  if (method.maxModels !== undefined && others > method.maxModels) {
    const counted = !hasBase && group.inputs.some(({ listed }) => !listed) ? '; the base_model counts as one' : '';
    const message = `${method.name} takes at most ${models(method.maxModels)}, not ${others}${counted}.`;
    issues.error('too_many_models', group.path, message);
  }
}

function checkLayers(group: InputGroup, issues: IssueList): void {
  const first = group.inputs[0]?.layerRange;
  for (const { layerRange, path } of group.inputs) {
    if (layerRange === undefined || first === undefined) continue;
    const place = [...path, 'layer_range'];
    const [from, to] = layerRange;
    if (from < 0 || to < 0)
      issues.error('negative_layer', place, `Layers are counted from 0; [${from}, ${to}] has a negative one.`);
    else if (to < from)
      issues.error('reversed_layers', place, `The layer range [${from}, ${to}] ends before it begins.`);
    else if (to === from)
      issues.error(
        'no_layers',
        place,
        `The layer range [${from}, ${to}] is empty: its end is the layer after the last.`,
      );
    else if (to - from !== first[1] - first[0]) {
      issues.error(
        'unequal_layers',
        place,
        `All sources of a slice need the same number of layers: ${to - from} here, ${first[1] - first[0]} in the first.`,
      );
    }
  }
}

function checkRequired(group: InputGroup, recipe: Recipe, method: MethodDefinition, issues: IssueList): void {
  const levels = [group.override, ...laterParameters(group, recipe), group.slice, group.module, recipe.parameters];
  for (const [name, parameter] of Object.entries(method.parameters)) {
    if (!parameter.required) continue;
    if (parameter.scope === 'global') {
      if (!mayYield(levels, name)) {
        const place: Path = group.path[0] === 'overrides' ? group.path : [];
        issues.error(
          'missing_parameter',
          [...place, 'parameters', name],
          `${method.name} needs the parameter “${name}”.`,
        );
      }
      continue;
    }
    for (const input of group.inputs) {
      if (isExempt(input, group, method) || mayYield([input.own, ...levels], name)) continue;
      const place: Path = input.listed ? [...input.path, 'parameters', name] : input.path;
      const hint = input.listed ? '' : ' (the base_model is one of its inputs)';
      issues.error(
        'missing_parameter',
        place,
        `${method.name} needs “${name}” for ${input.model}${hint}: in its parameters, or in the recipe’s for all models.`,
      );
    }
  }
}

/** What overrides give that keep the method: which tensors they leave without it is not known yet. */
function laterParameters(group: InputGroup, { overrides }: Recipe): (Parameters | undefined)[] {
  if (group.override !== undefined || overrides === undefined) return [];
  return overrides.filter((override) => override.merge_method === undefined).map(({ parameters }) => parameters);
}

/** The base of a method that compares with it needs no parameters of its own. */
function isExempt(input: GroupInput, group: InputGroup, method: MethodDefinition): boolean {
  return method.base !== 'ignored' && input.model === group.base;
}

/** Whether some level sets the parameter; of a condition it is not known yet which tensors it matches. */
function mayYield(levels: (Parameters | undefined)[], name: string): boolean {
  return levels.some((level) => level !== undefined && Object.hasOwn(level, name));
}

/** Weights that cancel out divide by zero: MergeKit writes NaN. Only what is the same for every tensor is known here. */
function checkWeightSum(group: InputGroup, recipe: Recipe, method: MethodDefinition, issues: IssueList): void {
  const switchName = ['linear', 'multislerp'].includes(method.name)
    ? method.name === 'linear'
      ? 'normalize'
      : 'normalize_weights'
    : undefined;
  if (switchName === undefined) return;
  const levels = [group.slice, group.module, recipe.parameters];
  if (constantOf([group.override, ...levels], switchName, true) !== true) return;
  let sum = 0;
  let magnitude = 0;
  for (const input of group.inputs) {
    if (isExempt(input, group, method)) continue;
    const weight = constantOf([group.override, input.own, ...levels], 'weight');
    if (typeof weight !== 'number') return;
    sum += weight;
    magnitude += Math.abs(weight);
  }
  // Weights such as 0.1, 0.2 and -0.3 cancel out but for the rounding of their decimals.
  if (Math.abs(sum) <= 1e-12 * magnitude) {
    issues.error(
      'weights_cancel_out',
      group.path,
      `The weights add up to 0, by which ${method.name} would divide; set ${switchName}: false or change them.`,
    );
  }
}

function constantOf(levels: (Parameters | undefined)[], name: string, fallback?: boolean): Scalar | undefined {
  for (const level of levels) {
    const setting: Setting | undefined = level !== undefined && Object.hasOwn(level, name) ? level[name] : undefined;
    if (setting === undefined) continue;
    if (!Array.isArray(setting)) return setting;
    const first = setting[0];
    if (setting.length === 1 && typeof first !== 'object') return first;
    const whole = typeof first === 'object' && selectsEverything(first) && typeof first.value !== 'object';
    return whole ? (first.value as Scalar) : undefined;
  }
  return fallback;
}
