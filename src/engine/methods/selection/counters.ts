/** Bins of 16 bits of a key. */
export const BINS = 65_536;
/** Bins of a page of the counters of a window: assembly/windows.ts has their layout. */
const PAGE = 64;

export function pagesOf(bins: number): number {
  return Math.ceil(bins / PAGE);
}

/** Of a window: its directory and its pages. */
export function windowBytes(bins: number): number {
  return pagesOf(bins) * (1 + PAGE) * 4;
}

/** Counts of a range or, in f64, of all ranges: a tensor may have more elements than 32 bits count. */
export type Counts = Float64Array | Uint32Array;

/** The counts of all ranges together. */
export function addUp(partials: readonly Uint32Array[]): Counts {
  const [first] = partials;
  if (first !== undefined && partials.length === 1) return first;
  const sums = new Float64Array(first?.length ?? 0);
  for (const counts of partials) addTo(sums, counts, 0, sums.length);
  return sums;
}

/** The same of a window's counters, in which pages that nothing was counted in may hold anything. */
export function addUpPages(partials: readonly Uint32Array[], bins: number): Counts {
  const [first] = partials;
  if (first !== undefined && partials.length === 1) return first;
  const sums = new Float64Array(windowBytes(bins) / 4);
  const pages = pagesOf(bins);
  for (const counts of partials) {
    addTo(sums, counts, 0, pages);
    for (let page = 0; page < pages; page++) {
      if (counts[page] !== 0) addTo(sums, counts, pages + page * PAGE, pages + (page + 1) * PAGE);
    }
  }
  return sums;
}

function addTo(sums: Float64Array, counts: Uint32Array, from: number, to: number): void {
  for (let at = from; at < to; at++) sums[at] = (sums[at] ?? 0) + (counts[at] ?? 0);
}

/** How often a bin of a window was counted. */
export function countIn(counts: Counts, bins: number, bin: number): number {
  return counts[Math.floor(bin / PAGE)] === 0 ? 0 : (counts[pagesOf(bins) + bin] ?? 0);
}

/** The bin that holds the `wanted`-th element from the top, and how many of the bin's elements that takes. */
export function findFromTop(
  counts: Counts,
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

/** The same of a window, page by page. */
export function findInPages(counts: Counts, bins: number, wanted: number): { bin: number; left: number } | undefined {
  const pages = pagesOf(bins);
  const page = findFromTop(counts.subarray(0, pages), wanted);
  if (page === undefined) return undefined;
  const from = pages + page.bin * PAGE;
  const hit = findFromTop(counts.subarray(from, from + PAGE), page.left);
  return hit && { bin: page.bin * PAGE + hit.bin, left: hit.left };
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
