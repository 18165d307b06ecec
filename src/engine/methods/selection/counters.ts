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
  for (const counts of partials) counts.forEach((count, at) => (sums[at] = (sums[at] ?? 0) + count));
  return sums;
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

/** The same of a window: its directory tells the page. */
export function findInPages(
  directory: Counts,
  wanted: number,
  pageAt: (page: number) => Counts,
): { bin: number; left: number } | undefined {
  const page = findFromTop(directory, wanted);
  const hit = page && findFromTop(pageAt(page.bin), page.left);
  return page && hit && { bin: page.bin * PAGE + hit.bin, left: hit.left };
}

/** A window as a kernel has counted it: its directory and all of its pages. */
export class CountedWindow {
  readonly directory: Uint32Array;

  constructor(
    private readonly counts: Uint32Array,
    bins: number,
  ) {
    this.directory = counts.subarray(0, pagesOf(bins));
  }

  /** A page that the directory says is empty may hold anything. */
  page(index: number): Uint32Array {
    const from = this.directory.length + index * PAGE;
    return this.counts.subarray(from, from + PAGE);
  }

  /**
   * Moves the pages that are not empty behind the directory, in place, and returns both: what travels between threads. Keys
   * of bf16 differences lie far apart, and of megabytes little is left.
   */
  pack(): Uint32Array {
    const pages = this.directory.length;
    let end = pages;
    for (let page = 0; page < pages; page++) {
      if (this.directory[page] === 0) continue;
      const from = pages + page * PAGE;
      if (from > end) this.counts.copyWithin(end, from, from + PAGE);
      end += PAGE;
    }
    return this.counts.subarray(0, end);
  }
}

/** What a range counted in a window, as it has travelled. */
export class PackedWindow {
  readonly directory: Uint32Array;
  /** Where each page that is not empty begins. */
  private readonly starts: Uint32Array;

  constructor(
    private readonly packed: Uint32Array,
    bins: number,
  ) {
    const pages = pagesOf(bins);
    this.directory = packed.subarray(0, pages);
    this.starts = new Uint32Array(pages);
    let next = pages;
    for (let page = 0; page < pages; page++) {
      if (this.directory[page] === 0) continue;
      this.starts[page] = next;
      next += PAGE;
    }
  }

  page(index: number): Uint32Array {
    const from = this.starts[index] ?? 0;
    return from === 0 ? EMPTY_PAGE : this.packed.subarray(from, from + PAGE);
  }

  countOf(bin: number): number {
    return this.page(Math.floor(bin / PAGE))[bin % PAGE] ?? 0;
  }
}

const EMPTY_PAGE = new Uint32Array(PAGE);

/** Equal elements are taken in index order, which is range order first. */
export function shareQuota(equals: readonly number[], wanted: number): number[] {
  let left = wanted;
  return equals.map((count) => {
    const share = Math.min(left, count);
    left -= share;
    return share;
  });
}
