import { methodsInUse } from './methods-in-use.js';
import type { Scalar } from './scalars.js';
import type { Parameters, Recipe, Setting } from './schema.js';
import { selectsEverything } from './selectors.js';

type Part = Pick<Recipe, 'models' | 'slices' | 'parameters'>;

/**
 * The recipe as plain JSON, the same for every way of writing the same merge: defaults are filled in, keys are sorted, settings
 * have their shortest form, `tokenizer_source` is a tokenizer. Digests are taken from it.
 */
export function canonicalRecipe(recipe: Recipe): object {
  const defaults = commonDefaults(recipe);
  const { stages, modules, overrides, tokenizer_source: tokenizerSource, ...rest } = recipe;
  const tokenizer = recipe.tokenizer ?? (tokenizerSource === undefined ? undefined : { source: tokenizerSource });
  const canonical = {
    ...rest,
    ...canonicalPart({ ...rest, parameters: { ...defaults, ...rest.parameters } }),
    modules: modules && Object.fromEntries(Object.entries(modules).map(([name, part]) => [name, canonicalPart(part)])),
    overrides: overrides?.length ? overrides.map(withCanonicalParameters) : undefined,
    tokenizer,
    stages: stages?.map(canonicalRecipe),
  };
  return sorted(canonical) as object;
}

/** The defaults of the recipe's method, but those that another method of the recipe has otherwise. */
function commonDefaults(recipe: Recipe): Parameters {
  const [own, ...others] = methodsInUse(recipe);
  const defaults: Parameters = {};
  for (const [name, parameter] of Object.entries(own?.parameters ?? {})) {
    if (parameter.default === undefined) continue;
    const isCommon = others.every(({ parameters }) => (parameters[name] ?? parameter).default === parameter.default);
    if (isCommon) defaults[name] = parameter.default;
  }
  return defaults;
}

function canonicalPart(part: Part): object {
  return {
    models: part.models?.map(withCanonicalParameters),
    slices: part.slices?.map(({ residual_weight: _withoutEffect, ...slice }) => ({
      ...withCanonicalParameters(slice),
      sources: slice.sources.map(withCanonicalParameters),
    })),
    parameters: part.parameters && canonicalParameters(part.parameters),
  };
}

function withCanonicalParameters<T extends { parameters?: Parameters | undefined }>(holder: T): T {
  return { ...holder, parameters: holder.parameters && canonicalParameters(holder.parameters) };
}

function canonicalParameters(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, setting]) => [name, canonicalSetting(setting)]));
}

/** One value stands for itself, and nothing follows the entry that matches every tensor. */
function canonicalSetting(setting: Setting): Setting {
  if (!Array.isArray(setting)) return setting;
  const conditions = setting.filter((entry) => typeof entry === 'object');
  if (conditions.length === 0) return canonicalValue(setting as Scalar[]);
  const last = conditions.findIndex((entry) => selectsEverything(entry));
  const reachable = last < 0 ? conditions : conditions.slice(0, last + 1);
  if (last === 0) return canonicalValue(conditions[0]?.value ?? []);
  return reachable.map((entry) => {
    const value = canonicalValue(entry.value);
    return selectsEverything(entry) ? { value } : { ...entry, value };
  });
}

function canonicalValue(value: Scalar | Scalar[]): Scalar | Scalar[] {
  return Array.isArray(value) && value.length === 1 ? (value[0] ?? value) : value;
}

/** Keys in code unit order, absent members left out, empty lists and mappings of parameters too. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .filter(([key, member]) => member !== undefined && !(key === 'parameters' && isEmpty(member)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
