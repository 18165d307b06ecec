import type { MethodDefinition } from './methods/method.js';
import { findMethod } from './methods/registry.js';

/** What may name methods: a recipe that was read, or one as it was written. */
interface NamesMethods {
  merge_method?: unknown;
  slices?: unknown;
  overrides?: unknown;
}

/** The methods that a recipe names, each once, its own first: a slice and an override may have another. Unknown names are left out. */
export function methodsInUse({ merge_method: own, slices, overrides }: NamesMethods): MethodDefinition[] {
  const names = [own, ...entriesOf(slices), ...entriesOf(overrides)];
  const found = names.map((name) => (typeof name === 'string' ? findMethod(name) : undefined));
  return [...new Set(found)].filter((method) => method !== undefined);
}

function entriesOf(list: unknown): unknown[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: unknown) =>
    typeof entry === 'object' && entry !== null ? (entry as NamesMethods).merge_method : undefined,
  );
}
