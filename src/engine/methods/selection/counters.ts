/** Bins of 16 bits of a key. */
export const BINS = 65_536;
/** Scratch counters behind the last bin: one for each lane of the kernel. */
const LANES = 4;

export function counterBytes(bins: number): number {
  return (bins + LANES) * 4;
}

/** The counts of all ranges together, in f64: a tensor may have more elements than 32 bits count. */
export function addUp(partials: readonly Uint32Array[]): Float64Array | Uint32Array {
  const [first] = partials;
  if (first !== undefined && partials.length === 1) return first;
  const sums = new Float64Array(first?.length ?? 0);
  for (const counts of partials) {
    for (let bin = 0; bin < sums.length; bin++) sums[bin] = (sums[bin] ?? 0) + (counts[bin] ?? 0);
  }
  return sums;
}

/** The bin that holds the `wanted`-th element from the top, and how many of the bin's elements that takes. */
export function findFromTop(
  counts: Float64Array | Uint32Array,
  wanted: number,
  from = counts.length - 1,
): { bin: number; left: number } | undefined {
  let left = wanted;
  for (let bin = from; bin >= 0; bin--) {
    const count = counts[bin] ?? 0;
    if (count >= left) return { bin, left };
    left -= count;
  }
  return undefined;
}

/** Equal elements are taken in index order, which is range order first. */
export function shareQuota(equals: readonly number[], wanted: number): number[] {
  let left = wanted;
  return equals.map((count) => {
    const share = Math.min(left, count);
    left -= share;
    return share;
  });
}
