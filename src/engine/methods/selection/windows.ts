import type { Kernels, Pointer } from '../../kernels/kernels.js';
import type { Block, Gatherer, Statistic, Workspace } from '../method.js';
import {
  addUp,
  CountedWindow,
  type Counts,
  findInPages,
  PackedWindow,
  pagesOf,
  shareQuota,
  windowBytes,
} from './counters.js';
import type { Rank, Selection } from './rank.js';
import { addUpSums, sumOfCounted } from './sums.js';

/** A run of keys for each rank: from `low` on, `width` of them. */
export interface Windows {
  lows: number[];
  widths: number[];
}

/** Keys of bf16 differences lie far apart, often powers of two: one more window of 16 bits than 2^20 keys need. Up to 4.5 MB a rank. */
export const MAX_WIDTH = 17 * 65_536;

/** What the pass before this one found out, if it was windows. */
export function windowsOf(found: readonly Statistic[]): Windows | undefined {
  const last = found.at(-1) as Partial<Windows> | undefined;
  return last?.lows === undefined || last.widths === undefined ? undefined : { lows: last.lows, widths: last.widths };
}

/** One rank's window on its way through a tensor. */
interface Counter extends Rank {
  low: number;
  width: number;
  /** Where its counters lie. */
  counts: Pointer;
  /** How many keys were above it. */
  above: number;
}

/** A rank that so many times fewer elements reach than the other of its model is counted where one of them is met. */
const RARE = 16;

/** Counts a block of bf16 as it is stored in all windows at once, of which `windows` are the entries. */
export type CountStored = (block: Block, windows: Pointer) => void;
const ENTRY_BYTES = 24;

/**
 * Counts every key in a rank's window, and how many are above it.
 * @param countStored where what is counted of stored blocks are no task vectors
 */
export function gatherWindows(
  selected: Selection,
  windows: Windows,
  workspace: Workspace,
  countStored?: CountStored,
): Gatherer {
  const { kernels, arithmetic, memory } = workspace;
  const counters = selected.ranks.map((rank, i): Counter => {
    const [low = 0, width = 0] = [windows.lows[i], windows.widths[i]];
    const counts = workspace.reserve(windowBytes(width));
    new Uint32Array(memory.buffer, counts, pagesOf(width)).fill(0);
    return { ...rank, low, width, counts, above: 0 };
  });
  const sums: number[] = [];
  const countBlock: Kernels['countWindowF32'] =
    selected.isScattered === true
      ? (x, _base, low, width, counts, n) => kernels.countScatteredF32(x, low, width, counts, n)
      : kernels.countWindowF32;
  const stored =
    countStored === undefined ? storedCounters(counters, workspace) : [countedAtOnce(counters, countStored, workspace)];
  return {
    block: ({ inputs, count: n }) => {
      for (const counter of counters) {
        const [x, base] = [inputs[counter.model + 1] ?? 0, inputs[0] ?? 0];
        const { low, width, counts } = counter;
        counter.above += countBlock(x, base, low, width, counts, n);
        if (!selected.sums) continue;
        sums.push(arithmetic.sumMagnitudes(x, base, 0n, n));
        sums.push(arithmetic.sumMagnitudes(x, base, BigInt(low + width), n));
      }
    },
    stored: selected.sums ? undefined : (block) => stored.forEach((count) => count(block)),
    isPointwise: true,
    partial: () => ({
      ...Object.fromEntries(
        counters.map(({ width, counts }, i) => {
          const counted = new Uint32Array(memory.buffer, counts, windowBytes(width) / 4);
          return [String(i), new CountedWindow(counted, width).pack()];
        }),
      ),
      above: counters.map(({ above }) => above),
      sums: Float64Array.from(sums),
    }),
  };
}

/** How the windows are counted from bf16: one after the other, or two of a model at once. */
function storedCounters(counters: readonly Counter[], workspace: Workspace): ((block: Block) => void)[] {
  const { kernels } = workspace;
  const tails = counters.flatMap((main) => {
    const tail = counters.find(({ model, keep }) => model === main.model && keep * RARE <= main.keep);
    return tail === undefined || tail.low < main.low ? [] : [{ main, tail }];
  });
  const alone = counters.filter((counter) => tails.every(({ main, tail }) => counter !== main && counter !== tail));
  return [
    ...tails.map(({ main, tail }) => {
      const entries = new Entries([tail], workspace);
      return ({ inputs, count }: Block): void => {
        const { model, low, width, counts } = main;
        main.above += kernels.countBandBF16(
          inputs[model + 1] ?? 0,
          inputs[0] ?? 0,
          low,
          width,
          counts,
          entries.table,
          count,
        );
        entries.readAbove();
      };
    }),
    ...alone.map((counter) => ({ inputs, count }: Block): void => {
      const { model, low, width, counts } = counter;
      counter.above += kernels.countWindowBF16(inputs[model + 1] ?? 0, inputs[0] ?? 0, low, width, counts, count);
    }),
  ];
}

/** Windows as kernels read them: assembly/windows.ts has the layout of an entry. */
class Entries {
  readonly table: Pointer;

  constructor(
    private readonly counters: readonly Counter[],
    private readonly workspace: Workspace,
  ) {
    this.table = workspace.allocate(counters.length * ENTRY_BYTES);
    counters.forEach(({ low, width, counts }, i) => {
      new Uint32Array(workspace.memory.buffer, this.table + i * ENTRY_BYTES, 3).set([low, width, counts]);
    });
  }

  /** Takes over how many keys were above each. */
  readAbove(): void {
    const view = new DataView(this.workspace.memory.buffer, this.table);
    this.counters.forEach((counter, i) => (counter.above = Number(view.getBigUint64(i * ENTRY_BYTES + 16, true))));
  }
}

/** Of values that are no task vectors: in all windows at once. */
function countedAtOnce(
  counters: readonly Counter[],
  countStored: CountStored,
  workspace: Workspace,
): (block: Block) => void {
  const entries = new Entries(counters, workspace);
  return (block) => {
    countStored(block, entries.table);
    entries.readAbove();
  };
}

/** The thresholds; nothing where one turned out to be outside of its window. */
export function combineWindows(
  selected: Selection,
  windows: Windows,
  partials: readonly Statistic[],
  workspace: Workspace,
): Statistic {
  const keys: bigint[] = [];
  const quotas: number[] = [];
  const totals: number[] = [];
  const kept: number[] = [];
  const sums = selected.sums ? addUpSums(partials, selected.ranks.length) : undefined;
  for (const [i, { keep }] of selected.ranks.entries()) {
    const [low = 0, width = 0] = [windows.lows[i], windows.widths[i]];
    const counted = partials.map((partial) => new PackedWindow(partial[String(i)] as Uint32Array, width));
    const above = partials.reduce((sum, partial) => sum + ((partial['above'] as number[])[i] ?? 0), 0);
    const directory = addUp(counted.map((window) => window.directory));
    const pageAt = (page: number): Counts => addUp(counted.map((window) => window.page(page)));
    const hit = above < keep ? findInPages(directory, keep - above, pageAt) : undefined;
    if (hit === undefined && (above >= keep || low > 1)) return {};
    // Below the lowest window there are only zeros: all that is not zero is kept.
    const key = hit === undefined ? 0 : low + hit.bin;
    keys.push(BigInt(key));
    const equals = counted.map((window) => (hit === undefined ? 0 : window.countOf(hit.bin)));
    quotas.push(...shareQuota(equals, hit?.left ?? 0));
    const magnitude = (bin: number): number => workspace.arithmetic.magnitude(BigInt(low + bin));
    const pair = sums?.[i];
    if (pair === undefined) continue;
    totals.push(pair.total);
    const countOf = (bin: number): number => counted.reduce((sum, window) => sum + window.countOf(bin), 0);
    kept.push(pair.above + sumOfCounted(width, countOf, hit, magnitude));
  }
  return { keys, quotas, totals, kept };
}
