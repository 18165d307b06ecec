import type { MergeOperation } from '../method.js';

/** MergeKit leaves a delta unscaled when an L1 norm is smaller than this. */
const NEGLIGIBLE_SUM = 1e-7;

/** How what is kept of a task vector is scaled: to its former L1 norm, by 1 over the share that is kept, or not at all. */
export type Rescale = 'l1' | 'inverse_density' | 'none';

export function rescaleOf({ settings }: MergeOperation): Rescale {
  const { rescale } = settings;
  if (rescale === 'inverse_density') return rescale;
  return rescale === true ? 'l1' : 'none';
}

/** What the kept elements are multiplied with, so that the L1 norm stays what it was. */
export function scaleToNorm(total: number, kept: number): number {
  return total < NEGLIGIBLE_SUM || kept < NEGLIGIBLE_SUM ? 1 : total / kept;
}
