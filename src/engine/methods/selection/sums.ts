import type { Statistic } from '../method.js';

/** L1 norms of a task vector: all of it, and of what is above the counted keys. */
export interface Norms {
  total: number;
  above: number;
}

/** The sums of all blocks of all ranges, in order: two numbers for each rank and block. */
export function addUpSums(partials: readonly Statistic[], ranks: number): Norms[] {
  const norms = Array.from({ length: ranks }, (): Norms => ({ total: 0, above: 0 }));
  for (const partial of partials) {
    (partial['sums'] as Float64Array).forEach((sum, at) => {
      const pair = norms[Math.floor(at / 2) % ranks];
      if (pair === undefined) return;
      if (at % 2 === 0) pair.total += sum;
      else pair.above += sum;
    });
  }
  return norms;
}

/** The sum of the magnitudes down to the threshold, from how often each bin was counted; of all of them without one. */
export function sumOfCounted(
  bins: number,
  countOf: (bin: number) => number,
  threshold: { bin: number; left: number } | undefined,
  magnitude: (bin: number) => number,
): number {
  const last = threshold?.bin ?? -1;
  let sum = 0;
  for (let bin = bins - 1; bin > last; bin--) {
    const count = countOf(bin);
    if (count > 0) sum += count * magnitude(bin);
  }
  return threshold === undefined ? sum : sum + threshold.left * magnitude(threshold.bin);
}
