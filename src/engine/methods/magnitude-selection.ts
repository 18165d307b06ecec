import type { Pointer } from '../kernels/kernels.js';
import type { Block, Gatherer, MergeOperation, Statistic, Workspace } from './method.js';

/** Bins of one histogram pass: 16 bits of the key. */
const BINS = 65_536;
/** MergeKit leaves a delta unscaled when an L1 norm is smaller than this. */
const NEGLIGIBLE_SUM = 1e-7;

/** How many of a tensor's elements a model keeps. `undefined`: all, without a threshold. */
export type KeepCounts = readonly (number | undefined)[];

/**
 * Exact selection of the k largest magnitudes of each task vector by radix (one 16-bit digit of the key a pass), in any
 * number of ranges. Among equal magnitudes at the threshold the lower index counts as larger, so the elements kept do
 * not depend on threads or chunks.
 */
export function selectionPasses(keep: KeepCounts, workspaceDigits: number): number {
  return keep.some((count) => count !== undefined) ? workspaceDigits : 0;
}

/** What the passes before this one found out about model i. */
interface Selected {
  /** Key bits above the current digit. */
  prefix: bigint;
  /** Elements still to be taken from the current bin, after all larger ones. */
  remaining: number;
}

export function selectedSoFar(keep: KeepCounts, found: readonly Statistic[]): (Selected | undefined)[] {
  const last = found.at(-1);
  return keep.map((count, i) => {
    if (count === undefined) return undefined;
    if (last === undefined) return { prefix: 0n, remaining: count };
    return {
      prefix: (last['prefixes'] as bigint[])[i] ?? 0n,
      remaining: (last['remaining'] as number[])[i] ?? 0,
    };
  });
}

/** Counts digits of |x_i - b| for every model with a threshold; the last pass also sums magnitudes for `rescale`. */
export function gatherDigits(
  operation: MergeOperation,
  keep: KeepCounts,
  pass: number,
  found: readonly Statistic[],
  workspace: Workspace,
): Gatherer {
  const { arithmetic, memory } = workspace;
  const shift = arithmetic.shifts[pass] ?? 0;
  const isLast = pass === arithmetic.shifts.length - 1;
  const sums = isLast && operation.settings['rescale'] === true;
  const selected = selectedSoFar(keep, found);
  const counts = keep.map((count) => (count === undefined ? 0 : workspace.allocate((BINS + 1) * 4)));
  const totals: number[] = [];
  return {
    block: ({ inputs, count }: Block) => {
      const base = inputs[0] ?? 0;
      keep.forEach((kept, i) => {
        const state = selected[i];
        if (kept === undefined || state === undefined) return;
        const model = inputs[i + 1] ?? 0;
        arithmetic.histogram(model, base, shift, state.prefix, counts[i] ?? 0, count);
        if (sums) {
          totals.push(arithmetic.sumMagnitudes(model, base, 0n, count));
          totals.push(arithmetic.sumMagnitudes(model, base, (state.prefix + 1n) << 16n, count));
        }
      });
    },
    partial: () => {
      const histograms = counts.map((pointer) =>
        pointer === 0 ? new Uint32Array(0) : new Uint32Array(memory.buffer.slice(pointer, pointer + BINS * 4)),
      );
      const joined = new Uint32Array(BINS * histograms.length);
      histograms.forEach((histogram, i) => joined.set(histogram, i * BINS));
      return { counts: joined, sums: Float64Array.from(totals) };
    },
  };
}

/** Finds the bin that holds the k-th largest key; after the last digit, the key itself and each range's share of it. */
export function combineDigits(
  operation: MergeOperation,
  keep: KeepCounts,
  pass: number,
  found: readonly Statistic[],
  partials: readonly Statistic[],
  workspace: Workspace,
): Statistic {
  const selected = selectedSoFar(keep, found);
  const isLast = pass === workspace.arithmetic.shifts.length - 1;
  const prefixes: bigint[] = [];
  const remaining: number[] = [];
  const quotas: number[] = [];
  const scales: number[] = [];
  const sums = isLast && operation.settings['rescale'] === true ? addUpSums(partials, keep) : undefined;
  keep.forEach((_count, i) => {
    const state = selected[i];
    if (state === undefined) {
      prefixes.push(0n);
      remaining.push(0);
      quotas.push(...partials.map(() => 0));
      scales.push(1);
      return;
    }
    const histograms = partials.map((partial) => (partial['counts'] as Uint32Array).subarray(i * BINS, (i + 1) * BINS));
    const { bin, left } = findBin(histograms, state.remaining);
    const prefix = (state.prefix << 16n) | BigInt(bin);
    prefixes.push(prefix);
    remaining.push(left);
    if (!isLast) return;
    quotas.push(...shareQuota(histograms, bin, left));
    const pair = sums?.[i];
    if (pair === undefined) return void scales.push(1);
    const kept = pair.above + sumWithinBin(histograms, bin, left, state.prefix, workspace);
    scales.push(pair.total < NEGLIGIBLE_SUM || kept < NEGLIGIBLE_SUM ? 1 : pair.total / kept);
  });
  return isLast ? { prefixes, remaining, quotas, scales } : { prefixes, remaining };
}

function findBin(histograms: readonly Uint32Array[], wanted: number): { bin: number; left: number } {
  const counts = addUpCounts(histograms);
  let left = wanted;
  for (let bin = BINS - 1; bin > 0; bin--) {
    const count = counts[bin] ?? 0;
    if (count >= left) return { bin, left };
    left -= count;
  }
  return { bin: 0, left };
}

/** In f64: a tensor may have more elements than 32 bits count. */
function addUpCounts(histograms: readonly Uint32Array[]): Float64Array | Uint32Array {
  const [only] = histograms;
  if (histograms.length === 1 && only !== undefined) return only;
  const counts = new Float64Array(BINS);
  for (const histogram of histograms) {
    for (let bin = 0; bin < BINS; bin++) counts[bin] = (counts[bin] ?? 0) + (histogram[bin] ?? 0);
  }
  return counts;
}

/** Equal elements are taken in index order, which is range order first. */
function shareQuota(histograms: readonly Uint32Array[], bin: number, left: number): number[] {
  return histograms.map((histogram) => {
    const share = Math.min(left, histogram[bin] ?? 0);
    left -= share;
    return share;
  });
}

function addUpSums(partials: readonly Statistic[], keep: KeepCounts): ({ total: number; above: number } | undefined)[] {
  const thresholds = keep.flatMap((count, i) => (count === undefined ? [] : [i]));
  const pairs = keep.map((count) => (count === undefined ? undefined : { total: 0, above: 0 }));
  for (const partial of partials) {
    (partial['sums'] as Float64Array).forEach((sum, at) => {
      const pair = pairs[thresholds[Math.floor(at / 2) % thresholds.length] ?? 0];
      if (pair === undefined) return;
      if (at % 2 === 0) pair.total += sum;
      else pair.above += sum;
    });
  }
  return pairs;
}

function sumWithinBin(
  histograms: readonly Uint32Array[],
  threshold: number,
  left: number,
  prefix: bigint,
  workspace: Workspace,
): number {
  const magnitude = (bin: number): number => workspace.arithmetic.magnitude((prefix << 16n) | BigInt(bin));
  const counts = addUpCounts(histograms);
  let sum = 0;
  for (let bin = BINS - 1; bin > threshold; bin--) {
    const count = counts[bin] ?? 0;
    if (count > 0) sum += count * magnitude(bin);
  }
  return sum + left * magnitude(threshold);
}

/** Turns a model's block into its trimmed task vector, in place, block after block of one range. */
export function applySelection(
  keep: KeepCounts,
  found: readonly Statistic[],
  range: number,
  workspace: Workspace,
): (input: Pointer, base: Pointer, model: number, count: number) => void {
  const { subtract, trim } = workspace.arithmetic;
  const last = found.at(-1);
  const prefixes = (last?.['prefixes'] as bigint[] | undefined) ?? [];
  const quotas = (last?.['quotas'] as number[] | undefined) ?? [];
  const ranges = quotas.length / keep.length;
  const left = keep.map((_count, i) => quotas[i * ranges + range] ?? 0);
  return (input, base, model, count) => {
    if (keep[model] === undefined) subtract(input, input, base, count);
    else left[model] = trim(input, base, prefixes[model] ?? 0n, left[model] ?? 0, count);
  };
}
