import { canonicalRecipe, inputGroups, pointerOf, type Recipe } from '../recipe/index.js';

/**
 * The recipe with every model replaced by what it means now. Names that are not in `pins` stay (a tokenizer source may
 * be `union` or `base`).
 */
export function pinRecipe(recipe: Recipe, pins: ReadonlyMap<string, string>): Recipe {
  const pin = (reference: string): string => pins.get(reference) ?? reference;
  return {
    ...recipe,
    ...(recipe.base_model !== undefined && { base_model: pin(recipe.base_model) }),
    ...(recipe.models && { models: recipe.models.map((entry) => ({ ...entry, model: pin(entry.model) })) }),
    ...(recipe.slices && {
      slices: recipe.slices.map((slice) => ({
        ...slice,
        ...(slice.base_model !== undefined && { base_model: pin(slice.base_model) }),
        sources: slice.sources.map((source) => ({ ...source, model: pin(source.model) })),
      })),
    }),
    ...(recipe.overrides && {
      overrides: recipe.overrides.map((override) => ({
        ...override,
        ...(override.base_model !== undefined && { base_model: pin(override.base_model) }),
      })),
    }),
    ...(recipe.coefficients !== undefined && { coefficients: pin(recipe.coefficients) }),
    ...(recipe.tokenizer_source !== undefined && { tokenizer_source: pin(recipe.tokenizer_source) }),
    ...(recipe.tokenizer && { tokenizer: { ...recipe.tokenizer, source: pin(recipe.tokenizer.source) } }),
  };
}

/** The form in which a recipe is kept: plain JSON, defaults filled in. */
export function storedRecipe(recipe: Recipe): Record<string, unknown> {
  return canonicalRecipe(recipe) as Record<string, unknown>;
}

/** Where in the recipe a model is first named, as an RFC 6901 pointer. */
export function pointerTo(recipe: Recipe, reference: string): string {
  if (recipe.base_model === reference) return '/base_model';
  if (recipe.coefficients === reference) return '/coefficients';
  for (const { inputs, base, path } of inputGroups(recipe)) {
    const input = inputs.find(({ model }) => model === reference);
    if (input) return pointerOf([...input.path, ...(input.listed ? ['model'] : [])]);
    if (base === reference) return pointerOf([...path, 'base_model']);
  }
  const override = recipe.overrides?.findIndex(({ base_model: base }) => base === reference) ?? -1;
  return override < 0 ? '' : pointerOf(['overrides', override, 'base_model']);
}

/** Which models are a base of some part of the recipe. */
export function baseReferences(recipe: Recipe): Set<string> {
  const overriding = recipe.overrides?.map(({ base_model: base }) => ({ base })) ?? [];
  return new Set([...inputGroups(recipe), ...overriding].flatMap(({ base }) => base ?? []));
}
