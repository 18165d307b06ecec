import { findMethod } from './methods/registry.js';
import type { MethodDefinition, MethodName } from './methods/method.js';
import type { Path } from './pointers.js';
import type { Override, Parameters, Recipe } from './schema.js';

/** One model that takes part in a slice of the result. */
export interface GroupInput {
  model: string;
  own?: Parameters;
  /** Absent where whole models are merged. */
  layerRange?: [number, number];
  path: Path;
  /** False for a base that no list names: MergeKit appends it. */
  listed: boolean;
}

/** The inputs of one slice of the result, or of the whole of it. */
export interface InputGroup {
  method: MethodDefinition;
  inputs: GroupInput[];
  base?: string;
  module?: Parameters;
  slice?: Parameters;
  /** Of the override that holds for the tensors. */
  override?: Parameters;
  path: Path;
}

/** What the recipe merges, slice by slice, with the base appended to whole models as MergeKit does. */
export function inputGroups(recipe: Recipe): InputGroup[] {
  const parts: { part: Pick<Recipe, 'models' | 'slices'>; module?: Parameters; path: Path }[] = [
    { part: recipe, path: [] },
  ];
  for (const [name, module] of Object.entries(recipe.modules ?? {})) {
    parts.push({ part: module, path: ['modules', name], ...(module.parameters && { module: module.parameters }) });
  }
  return parts.flatMap(({ part, module, path }) => {
    const level = module === undefined ? {} : { module };
    const whole = part.models?.length
      ? [{ ...wholeModels(part.models, recipe, recipe.base_model, path), ...level }]
      : [];
    const slices = (part.slices ?? []).map((slice, index) => ({
      ...sliceGroup(slice, recipe, [...path, 'slices', index]),
      ...level,
    }));
    return [...whole, ...slices];
  });
}

function wholeModels(
  models: NonNullable<Recipe['models']>,
  recipe: Recipe,
  base: string | undefined,
  path: Path,
): InputGroup {
  const inputs = models.map(({ model, parameters }, index): GroupInput => ({
    model,
    ...(parameters && { own: parameters }),
    path: [...path, 'models', index],
    listed: true,
  }));
  if (base !== undefined && !inputs.some((input) => input.model === base)) {
    inputs.push({ model: base, path: ['base_model'], listed: false });
  }
  return { method: methodOf(recipe), inputs, path: [...path, 'models'], ...(base !== undefined && { base }) };
}

function sliceGroup(slice: NonNullable<Recipe['slices']>[number], recipe: Recipe, path: Path): InputGroup {
  const base = slice.base_model ?? recipe.base_model;
  const inputs = slice.sources.map(({ model, layer_range: layerRange, parameters }, index): GroupInput => ({
    model,
    layerRange,
    ...(parameters && { own: parameters }),
    path: [...path, 'sources', index],
    listed: true,
  }));
  return {
    method: methodOf(slice, recipe),
    inputs,
    path,
    ...(base !== undefined && { base }),
    ...(slice.parameters && { slice: slice.parameters }),
  };
}

/**
 * The group as it is for the tensors that an override takes. Its base is an input as the recipe's is; the recipe's own,
 * when no list names it, is none where the method has no base.
 */
export function overridden(group: InputGroup, override: Override, index: number): InputGroup {
  const method = methodOf(override, { merge_method: group.method.name });
  const base = override.base_model ?? group.base;
  const isSame = method.name === group.method.name;
  const keepsBase = override.base_model === undefined && (isSame || method.base !== 'ignored');
  const inputs = group.inputs.filter(({ listed, model }) => listed || model === override.base_model || keepsBase);
  const isWhole = inputs.every(({ layerRange }) => layerRange === undefined);
  if (override.base_model !== undefined && isWhole && !inputs.some(({ model }) => model === override.base_model)) {
    inputs.push({ model: override.base_model, path: ['overrides', index, 'base_model'], listed: false });
  }
  return {
    ...group,
    method,
    inputs,
    ...(base !== undefined && { base }),
    ...(override.parameters && { override: override.parameters }),
    path: ['overrides', index],
  };
}

/**
 * Every model that the recipe merges, each once, in order of first mention, and at the end what holds its coefficients; the
 * base counts, the tokenizer's source does not.
 */
export function modelReferences(recipe: Recipe): string[] {
  const found = new Set<string>();
  if (recipe.base_model !== undefined) found.add(recipe.base_model);
  for (const { base, inputs } of inputGroups(recipe)) {
    for (const { model } of inputs) found.add(model);
    if (base !== undefined) found.add(base);
  }
  for (const { base_model: base } of recipe.overrides ?? []) if (base !== undefined) found.add(base);
  if (recipe.coefficients !== undefined) found.add(recipe.coefficients);
  return [...found];
}

/** The definition of the first method that is named; the schema has made sure that there is one. */
export function methodOf(...named: { merge_method?: MethodName | undefined }[]): MethodDefinition {
  const name = named.find(({ merge_method: method }) => method !== undefined)?.merge_method ?? '';
  const method = findMethod(name);
  if (method === undefined) throw new TypeError(`unknown merge method ${name}`);
  return method;
}
