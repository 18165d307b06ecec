import type { Pointer } from '../../kernels/kernels.js';
import {
  BLOCK_ELEMENTS,
  type Gatherer,
  type MergeOperation,
  type Statistic,
  type Walk,
  type Workspace,
} from '../method.js';
import { combineDigits, gatherDigits } from './digits.js';
import type { Selection } from './rank.js';
import { combineSample, gatherSample, sampleWalk } from './sample.js';
import { combineWindows, type CountStored, gatherWindows, type Windows, windowsOf } from './windows.js';

/** Small enough for the fastest cache: counts do not depend on blocks. */
const COUNTING_WALK: Walk = { size: 2048, stride: 2048 };
/** Sums do, so they go through the canonical ones. */
const SUMMING_WALK: Walk = { size: BLOCK_ELEMENTS, stride: BLOCK_ELEMENTS };

/**
 * Exact selection of the k-th largest magnitude, in any number of ranges. The key of an element is the bits of |x - b|,
 * which order as the magnitudes do. Among equal magnitudes the lower index counts as larger, so the elements kept do not
 * depend on threads or chunks.
 *
 * In f32, a sample tells a window of keys in which the threshold almost certainly lies; the next pass counts every key in
 * that window, and how many are above it. Where the sample misled, a pass over the keys' upper 16 bits finds a window that
 * is certain; where it is all of a small tensor, it tells the threshold itself. In f64, four passes each count 16 bits of the
 * keys.
 */
export const selection = {
  /** At most; `isComplete` says when it was less. */
  passes: (operation: MergeOperation, { ranks }: Selection): number => (ranks.length === 0 ? 0 : 4),

  usualPasses: (operation: MergeOperation, { ranks }: Selection): number => {
    if (ranks.length === 0) return 0;
    return operation.work === 'F64' ? 4 : 2;
  },

  walk: (operation: MergeOperation, { sums }: Selection, found: readonly Statistic[]): Walk => {
    if (operation.work === 'F32' && found.length === 0) return sampleWalk(operation);
    return sums ? SUMMING_WALK : COUNTING_WALK;
  },

  gather: (
    operation: MergeOperation,
    selected: Selection,
    found: readonly Statistic[],
    workspace: Workspace,
    countStored?: CountStored,
  ): Gatherer => {
    if (operation.work === 'F64') return gatherDigits(selected, found, workspace);
    if (found.length === 0) return gatherSample(selected.ranks, operation, workspace);
    const windows = windowsOf(found);
    return windows === undefined
      ? gatherDigits(selected, [], workspace)
      : gatherWindows(selected, windows, workspace, countStored);
  },

  combine: (
    operation: MergeOperation,
    selected: Selection,
    found: readonly Statistic[],
    partials: readonly Statistic[],
    workspace: Workspace,
  ): Statistic => {
    if (operation.work === 'F64') return combineDigits(selected, found, partials, workspace);
    if (found.length === 0) return combineSample(selected, operation, partials, workspace);
    const windows = windowsOf(found);
    if (windows !== undefined) return combineWindows(selected, windows, partials, workspace);
    const { prefixes } = combineDigits(selected, [], partials, workspace) as { prefixes: bigint[] };
    return certainWindows(prefixes);
  },

  isComplete: (found: readonly Statistic[]): boolean => found.at(-1)?.['keys'] !== undefined,
};

/** The keys whose upper 16 bits are known. */
function certainWindows(prefixes: readonly bigint[]): Statistic {
  const windows: Windows = {
    lows: prefixes.map((prefix) => Number(prefix) * 65_536),
    widths: prefixes.map(() => 65_536),
  };
  return { ...windows };
}

/** The threshold of one rank, as a range of the tensor meets it. */
export interface Threshold {
  key: bigint;
  /** How many of the elements equal to it are kept in this range. */
  quota: number;
  /** L1 norms of the task vector and of what is kept of it; 0 unless sums were asked for. */
  total: number;
  kept: number;
}

/** What the last pass found: a key, a total and a kept norm for each rank, and a quota for each rank and range. */
interface Selected {
  keys: bigint[];
  quotas: number[];
  totals: number[];
  kept: number[];
}

export function thresholds(found: readonly Statistic[], range: number): Threshold[] {
  const last = found.at(-1) as Partial<Selected> | undefined;
  const { keys = [], quotas = [], totals = [], kept = [] } = last ?? {};
  const ranges = quotas.length / Math.max(1, keys.length);
  return keys.map((key, i) => {
    return { key, quota: quotas[i * ranges + range] ?? 0, total: totals[i] ?? 0, kept: kept[i] ?? 0 };
  });
}

/** Turns a block of a model into its trimmed task vector, in place, block after block of one range. */
export type Trim = (input: Pointer, base: Pointer, count: number) => void;

/** @param threshold whose quota is used up block by block; undefined: nothing is trimmed */
export function trimmer(threshold: Threshold | undefined, { arithmetic }: Workspace): Trim {
  const { subtract, trim } = arithmetic;
  if (threshold === undefined) return (input, base, count) => subtract(input, input, base, count);
  return (input, base, count) => {
    threshold.quota = trim(input, base, threshold.key, threshold.quota, count);
  };
}
