import type { Kernels, Pointer } from '../../kernels/kernels.js';
import type { Block, Gatherer, MergeOperation, Statistic, Walk, Workspace } from '../method.js';
import { BINS, CountedWindow, findFromTop, findInPages, pagesOf, windowBytes } from './counters.js';
import type { Rank, Selection } from './rank.js';
import { MAX_WIDTH, type Windows } from './windows.js';

/**
 * What is looked at of a tensor of up to so many elements: all of a small one, else pieces short enough that many rows are
 * met.
 */
const SAMPLES: readonly (Walk & { upTo: number })[] = [
  { upTo: 131_072, size: 2048, stride: 2048 },
  { upTo: 2_097_152, size: 64, stride: 512 },
];
/**
 * Of a larger one an eighth is read for it, and of the largest still so many sections: the width of a window hardly depends
 * on more than that, and a sample waits in memory.
 */
const LARGE = { size: 128, stride: 512, section: 16_384, apart: 131_072, sections: 64 };
/** Standard deviations of a sampled rank that a window leaves on either side. */
const MARGIN = 5;
const HIGHEST_KEY = 0x7fff_ffff;

export function sampleWalk({ elements }: MergeOperation): Walk {
  const small = SAMPLES.find(({ upTo }) => elements <= upTo);
  if (small !== undefined) return { size: small.size, stride: small.stride };
  const { size, stride, section, apart, sections } = LARGE;
  const far = apart * Math.ceil(elements / (apart * sections));
  return { size, stride, section: { size: section, stride: far } };
}

/** At most so many elements are looked at. */
function sampledElements(operation: MergeOperation): number {
  const { size, stride, section } = sampleWalk(operation);
  const seen =
    section === undefined ? operation.elements : Math.ceil(operation.elements / section.stride) * section.size;
  return Math.ceil(seen / stride) * size;
}

/** Keeps the sampled elements of each task vector. */
export function gatherSample(ranks: readonly Rank[], operation: MergeOperation, workspace: Workspace): Gatherer {
  const room = sampledElements(operation);
  const lists = modelsOf(ranks).map((model) => ({ model, deltas: workspace.reserve(room * 4) }));
  let sampled = 0;
  const take = (subtract: Kernels['subtractF32'], { inputs, count }: Block): void => {
    for (const { model, deltas } of lists) {
      subtract(deltas + sampled * 4, inputs[model + 1] ?? 0, inputs[0] ?? 0, count);
    }
    sampled += count;
  };
  return {
    block: (block) => take(workspace.kernels.subtractF32, block),
    stored: (block) => take(workspace.kernels.subtractBF16, block),
    pieces: ({ inputs, count }, size, stride) => {
      let taken = 0;
      for (const { model, deltas } of lists) {
        const [x, base] = [inputs[model + 1] ?? 0, inputs[0] ?? 0];
        taken = workspace.kernels.subtractPiecesBF16(deltas + sampled * 4, x, base, size, stride, count);
      }
      sampled += taken;
    },
    partial: () => {
      const view = (deltas: Pointer): Float32Array => new Float32Array(workspace.memory.buffer, deltas, sampled);
      return Object.fromEntries(lists.map(({ model, deltas }) => [String(model), view(deltas)]));
    },
  };
}

/** A window for each rank; none at all where one would be too wide to count. Of the smallest tensors, the thresholds. */
export function combineSample(
  { ranks, sums }: Selection,
  { elements }: MergeOperation,
  partials: readonly Statistic[],
  workspace: Workspace,
): Statistic {
  const windows: Windows = { lows: [], widths: [] };
  const lists = modelsOf(ranks).map((model) => joined(model, partials, workspace));
  // Far below a block: one range has all of it.
  if (elements <= FEW_KEYS && !sums) return thresholdsOf(ranks, lists, workspace.kernels);
  const samples = new Map(lists.map((list) => [list.model, sampleOf(list, workspace)]));
  for (const { model, keep } of ranks) {
    const { count, keyAt } = samples.get(model) ?? { count: 0, keyAt: () => 0 };
    const share = Math.min(1, keep / elements);
    const margin = count === elements ? 0 : MARGIN * Math.sqrt(count * share * (1 - share)) + 8;
    const [lowest, highest] = [Math.ceil(count * share + margin), Math.floor(count * share - margin)];
    const key = keyAt(lowest);
    // Zeros need no counting: nothing is below them.
    const low = Math.max(1, key);
    const high = Math.max(low, highest === lowest ? key : keyAt(highest));
    windows.lows.push(low);
    windows.widths.push(high - low + 1);
  }
  return windows.widths.every((width) => width <= MAX_WIDTH) ? { ...windows } : {};
}

function modelsOf(ranks: readonly Rank[]): number[] {
  return [...new Set(ranks.map(({ model }) => model))];
}

/** The sampled elements of one task vector. */
interface Sampled {
  model: number;
  deltas: Pointer;
  count: number;
}

interface Sample {
  count: number;
  /** The key of the `rank`-th largest of the sample; what is beyond it may be anything. */
  keyAt(rank: number): number;
}

/** Up to so many keys need no counters: clearing them takes longer, and a mixture of experts has 20,000 small tensors. */
const FEW_KEYS = 4096;

function sampleOf(sampled: Sampled, workspace: Workspace): Sample {
  const { deltas, count } = sampled;
  if (count > FEW_KEYS) return radixSample(deltas, count, workspace);
  return { count, keyAt: (rank) => keyOfFew(sampled, rank, workspace.kernels) };
}

function keyOfFew({ deltas, count }: Sampled, rank: number, kernels: Kernels): number {
  if (rank < 1) return HIGHEST_KEY;
  return rank > count ? 0 : kernels.keyOfRankF32(deltas, rank, count);
}

/** Of a sample that is the whole tensor: the `keep`-th largest key of each rank, and how many equal to it are kept. */
function thresholdsOf(ranks: readonly Rank[], lists: readonly Sampled[], kernels: Kernels): Statistic {
  const [keys, quotas]: [bigint[], number[]] = [[], []];
  for (const { model, keep } of ranks) {
    const sampled = lists.find((list) => list.model === model) ?? { model, deltas: 0, count: 0 };
    const key = keyOfFew(sampled, keep, kernels);
    keys.push(BigInt(key));
    // Zeros are the same kept or not.
    quotas.push(key === 0 ? 0 : keep - kernels.countAboveF32(sampled.deltas, key, sampled.count));
  }
  return { keys, quotas };
}

/** Sorts the sample's keys by radix, as far as somebody asks. */
function radixSample(deltas: Pointer, count: number, workspace: Workspace): Sample {
  const zeros = workspace.allocate(count * 4);
  const [upper, lower] = [workspace.allocate(BINS * 4), workspace.reserve(windowBytes(BINS))];
  const view = (counters: Pointer, bytes: number): Uint32Array =>
    new Uint32Array(workspace.memory.buffer, counters, bytes / 4);
  workspace.kernels.histogramHighF32(deltas, zeros, upper, count);
  let counted = -1;
  return {
    count,
    keyAt: (rank) => {
      if (rank < 1) return HIGHEST_KEY;
      const hit = rank > count ? undefined : findFromTop(view(upper, BINS * 4), rank, HIGHEST_KEY >> 16);
      if (hit === undefined) return 0;
      if (hit.bin !== counted) {
        view(lower, pagesOf(BINS) * 4).fill(0);
        workspace.kernels.countWindowF32(deltas, zeros, hit.bin * BINS, BINS, lower, count);
        counted = hit.bin;
      }
      const window = new CountedWindow(view(lower, windowBytes(BINS)), BINS);
      return hit.bin * BINS + (findInPages(window.directory, hit.left, (page) => window.page(page))?.bin ?? 0);
    },
  };
}

/**
 * The samples of all ranges, one behind the other in the kernels' memory. That of a tensor that one thread works through
 * is there already.
 */
function joined(model: number, partials: readonly Statistic[], workspace: Workspace): Sampled {
  const lists = partials.map((partial) => partial[String(model)] as Float32Array);
  const count = lists.reduce((sum, { length }) => sum + length, 0);
  const [only] = lists;
  if (only?.buffer === workspace.memory.buffer) return { model, deltas: only.byteOffset, count };
  const deltas = workspace.reserve(count * 4);
  let at = deltas;
  for (const list of lists) {
    new Float32Array(workspace.memory.buffer, at, list.length).set(list);
    at += list.length * 4;
  }
  return { model, deltas, count };
}
