import type { Recipe } from './schema.js';

/** The recipe with every model once in each list: the first mention counts, as in MergeKit before 0.1.5. */
export function withoutDuplicates(recipe: Recipe): Recipe {
  const part = <T extends Pick<Recipe, 'models' | 'slices'>>(holder: T): T => ({
    ...holder,
    ...(holder.models && { models: firstMentions(holder.models) }),
    ...(holder.slices && {
      slices: holder.slices.map((slice) => ({ ...slice, sources: firstMentions(slice.sources) })),
    }),
  });
  const modules = Object.entries(recipe.modules ?? {}).map(([name, module]) => [name, part(module)] as const);
  return { ...part(recipe), ...(recipe.modules && { modules: Object.fromEntries(modules) }) };
}

/** The entries without those whose model an earlier one has. */
export function firstMentions<T extends { model: string }>(entries: T[]): T[] {
  return entries.filter((entry, index) => entries.findIndex(({ model }) => model === entry.model) === index);
}
