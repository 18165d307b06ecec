import { findMethod } from './methods/registry.js';
import type { MethodDefinition } from './methods/method.js';
import type { Path } from './pointers.js';
import type { Parameters, Recipe } from './schema.js';

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
  inputs: GroupInput[];
  base?: string;
  module?: Parameters;
  slice?: Parameters;
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
    const whole = part.models?.length ? [{ ...wholeModels(part.models, recipe.base_model, path), ...level }] : [];
    const slices = (part.slices ?? []).map((slice, index) => ({
      ...sliceGroup(slice, recipe.base_model, [...path, 'slices', index]),
      ...level,
    }));
    return [...whole, ...slices];
  });
}

function wholeModels(models: NonNullable<Recipe['models']>, base: string | undefined, path: Path): InputGroup {
  const inputs = models.map(({ model, parameters }, index): GroupInput => ({
    model,
    ...(parameters && { own: parameters }),
    path: [...path, 'models', index],
    listed: true,
  }));
  if (base !== undefined && !inputs.some((input) => input.model === base)) {
    inputs.push({ model: base, path: ['base_model'], listed: false });
  }
  return { inputs, path: [...path, 'models'], ...(base !== undefined && { base }) };
}

function sliceGroup(
  slice: NonNullable<Recipe['slices']>[number],
  recipeBase: string | undefined,
  path: Path,
): InputGroup {
  const base = slice.base_model ?? recipeBase;
  const inputs = slice.sources.map(({ model, layer_range: layerRange, parameters }, index): GroupInput => ({
    model,
    layerRange,
    ...(parameters && { own: parameters }),
    path: [...path, 'sources', index],
    listed: true,
  }));
  return {
    inputs,
    path,
    ...(base !== undefined && { base }),
    ...(slice.parameters && { slice: slice.parameters }),
  };
}

/** Every model that the recipe merges, each once, in order of first mention; the base counts, the tokenizer's source does not. */
export function modelReferences(recipe: Recipe): string[] {
  const found = new Set<string>();
  if (recipe.base_model !== undefined) found.add(recipe.base_model);
  for (const { base, inputs } of inputGroups(recipe)) {
    for (const { model } of inputs) found.add(model);
    if (base !== undefined) found.add(base);
  }
  return [...found];
}

/** The definition of the recipe's method; the schema has made sure that there is one. */
export function methodOf(recipe: Recipe): MethodDefinition {
  const method = findMethod(recipe.merge_method);
  if (method === undefined) throw new TypeError(`unknown merge method ${recipe.merge_method}`);
  return method;
}
