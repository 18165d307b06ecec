import type { WrittenParameters, WrittenSetting } from './recipes.js';

/** Where a parameter is looked up: MergeKit's rules (reference/mergekit.md 3.2, 3.3), written down a second time. */
export interface ReferencePlace {
  /** The levels from the nearest to the widest. */
  levels: readonly (WrittenParameters | undefined)[];
  /** The name that filters are tested against. */
  tensor: string;
  /** 0 for the first layer of a slice, 1 for the last; 0 outside the layers. */
  t: number;
}

export function referenceNumber(place: ReferencePlace, name: string, fallback?: number): number {
  for (const level of place.levels) {
    const value = level?.[name] === undefined ? undefined : settingAt(level[name], place);
    if (value !== undefined) return value;
  }
  if (fallback === undefined) throw new Error(`the recipe gives no ${name} for ${place.tensor}`);
  return fallback;
}

function settingAt(setting: WrittenSetting, { tensor, t }: ReferencePlace): number | undefined {
  if (!Array.isArray(setting)) return Number(setting);
  for (const entry of setting) {
    if (typeof entry === 'number') return gradientAt(setting as number[], t);
    if (entry.filter !== undefined && entry.filter !== '*' && !tensor.includes(entry.filter)) continue;
    return typeof entry.value === 'number' ? entry.value : gradientAt(entry.value, t);
  }
  return undefined;
}

function gradientAt(values: readonly number[], t: number): number {
  const position = t * (values.length - 1);
  const before = Math.floor(position);
  const after = Math.min(before + 1, values.length - 1);
  const share = position - before;
  return (1 - share) * (values[before] ?? Number.NaN) + share * (values[after] ?? Number.NaN);
}
