import type { Gatherer, Statistic, Workspace } from '../method.js';
import { BINS, addUp, findFromTop, shareQuota } from './counters.js';
import type { Selection } from './rank.js';
import { addUpSums, sumOfCounted } from './sums.js';

/** What the passes before this one found out about a rank. */
interface Known {
  /** Key bits above the current digit. */
  prefix: bigint;
  /** Elements still to be taken from the current bin, after all larger ones. */
  remaining: number;
}

function knownSoFar({ ranks }: Selection, found: readonly Statistic[]): Known[] {
  const last = found.at(-1) as { prefixes: bigint[]; remaining: number[] } | undefined;
  return ranks.map(({ keep }, i) => ({
    prefix: last?.prefixes[i] ?? 0n,
    remaining: last?.remaining[i] ?? keep,
  }));
}

/** Counts the 16 bits of the keys below those already known; the last pass also sums magnitudes. */
export function gatherDigits(selected: Selection, found: readonly Statistic[], workspace: Workspace): Gatherer {
  const { arithmetic, memory } = workspace;
  const shift = arithmetic.shifts[found.length] ?? 0;
  const sums = selected.sums && shift === 0;
  const known = knownSoFar(selected, found);
  const counters = selected.ranks.map(({ model }, i) => {
    return { input: model + 1, prefix: known[i]?.prefix ?? 0n, counts: workspace.allocate(BINS * 4) };
  });
  const totals: number[] = [];
  return {
    block: ({ inputs, count }) => {
      const base = inputs[0] ?? 0;
      for (const { input, prefix, counts } of counters) {
        const x = inputs[input] ?? 0;
        arithmetic.histogram(x, base, shift, prefix, counts, count);
        if (!sums) continue;
        totals.push(arithmetic.sumMagnitudes(x, base, 0n, count));
        totals.push(arithmetic.sumMagnitudes(x, base, (prefix + 1n) << 16n, count));
      }
    },
    partial: () => {
      const joined = new Uint32Array(BINS * counters.length);
      counters.forEach(({ counts }, i) => joined.set(new Uint32Array(memory.buffer, counts, BINS), i * BINS));
      return { counts: joined, sums: Float64Array.from(totals) };
    },
  };
}

/** Finds the bin that holds the k-th largest key; after the last digit, the key itself and each range's share of it. */
export function combineDigits(
  selected: Selection,
  found: readonly Statistic[],
  partials: readonly Statistic[],
  workspace: Workspace,
): Statistic {
  const known = knownSoFar(selected, found);
  const isLast = workspace.arithmetic.shifts[found.length] === 0;
  const prefixes: bigint[] = [];
  const remaining: number[] = [];
  const quotas: number[] = [];
  const totals: number[] = [];
  const kept: number[] = [];
  const sums = isLast && selected.sums ? addUpSums(partials, selected.ranks.length) : undefined;
  known.forEach((state, i) => {
    const histograms = partials.map((partial) => (partial['counts'] as Uint32Array).subarray(i * BINS, (i + 1) * BINS));
    const counts = addUp(histograms);
    const hit = findFromTop(counts, state.remaining) ?? { bin: 0, left: 0 };
    prefixes.push((state.prefix << 16n) | BigInt(hit.bin));
    remaining.push(hit.left);
    if (!isLast) return;
    const equals = histograms.map((histogram) => histogram[hit.bin] ?? 0);
    quotas.push(...shareQuota(equals, hit.left));
    const magnitude = (bin: number): number => workspace.arithmetic.magnitude((state.prefix << 16n) | BigInt(bin));
    const pair = sums?.[i];
    if (pair === undefined) return;
    totals.push(pair.total);
    kept.push(pair.above + sumOfCounted(BINS, (bin) => counts[bin] ?? 0, hit, magnitude));
  });
  return isLast ? { keys: prefixes, quotas, totals, kept } : { prefixes, remaining };
}
