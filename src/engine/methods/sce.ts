import type { Pointer } from '../kernels/kernels.js';
import { BLOCK_ELEMENTS, type Block, type Gatherer, type Method, type MergeOperation } from './method.js';
import { numberSetting, type Statistic, type Workspace } from './method.js';
import type { Selection } from './selection/rank.js';
import { selection, type Threshold, thresholds, trimmer } from './selection/selection.js';
import { gatherValues } from './selection/values.js';
import { type Windows, windowsOf } from './selection/windows.js';
import { electing } from './task-vectors/election.js';
import { KeptMasks, type MakeMask } from './task-vectors/masks.js';

/** Below this sum of mean squares all models weigh the same (MergeKit's threshold). */
const NEGLIGIBLE_ENERGY = 1e-6;

/** What a pass over variances counts beside the selection. */
interface Counted {
  seen: number;
  nonzero: number;
}

/**
 * SCE (FuseChat, arXiv:2408.07990). Select: of the task vectors d_i = x_i - b, the int(select_topk nz) elements of the
 * largest variance across models survive, nz being the number of elements with any. Calculate: q_i = mean(d_i^2) / sum over
 * the models. Erase: each element's minority sign. y = b + sum' q_i d_i / sum' q_i.
 */
export const sce: Method = {
  passes: (operation) => selectionPasses(operation, 'passes') + 1,
  usualPasses: (operation) => selectionPasses(operation, 'usualPasses') + 1,
  isComplete: (_operation, found) => found.at(-1)?.['shares'] !== undefined,
  walk: (operation, found) => {
    if (!isSelected(operation, found)) return selection.walk(operation, selectionOf(1), found);
    return { size: BLOCK_ELEMENTS, stride: BLOCK_ELEMENTS };
  },
  gather: (operation, _pass, found, workspace, range) =>
    isSelected(operation, found)
      ? gatherEnergies(operation, found, range, workspace)
      : gatherVariances(operation, found, workspace),
  combine: (operation, _pass, found, partials, workspace) => {
    if (isSelected(operation, found)) return combineEnergies(operation, partials);
    const { seen, nonzero } = addUpCounted(partials);
    const share = numberSetting(operation.settings, 'select_topk');
    const isAll = seen === operation.elements;
    const keep = isAll ? Math.trunc(nonzero * share) : (nonzero * share * operation.elements) / seen;
    if (isAll && keep === 0 && found.length > 0) return selectNothing(operation, partials.length);
    return selection.combine(operation, selectionOf(keep), found, partials, workspace);
  },
  apply: (operation, found, range, workspace) => {
    const { shares = [] } = found.at(-1) as { shares?: number[] };
    const voters = shares.map((share, model) => ({ model, vote: 1, share, coefficient: share }));
    const [threshold] = thresholds(found.slice(0, -1), range);
    const masks = masksOf(operation, workspace);
    const kept = masks.find(SELECTED);
    const select = kept === undefined ? selector(operation, threshold, workspace) : undefined;
    const made = isPair(operation) ? masks.making(pairSelector(threshold, workspace)) : undefined;
    const maskAt = kept?.maskAt ?? made;
    const merge = electing(
      operation,
      shares.map((_share, model) => ({ ...(maskAt && { maskAt }), model })),
      voters,
      0,
      workspace,
    );
    const fill = (block: Block): void => {
      const [base = 0, ...models] = block.inputs;
      select?.(block);
      if (kept !== undefined) for (const model of models) kept.sparsify(model, base, block);
      merge(block);
    };
    return Object.assign(fill, { stored: merge.stored, isPointwise: merge.isPointwise });
  },
};

/** All models share one mask. */
const SELECTED = 0;

function masksOf(operation: MergeOperation, workspace: Workspace): KeptMasks {
  return new KeptMasks(operation, BLOCK_ELEMENTS, workspace);
}

function selectsAll(operation: MergeOperation): boolean {
  return numberSetting(operation.settings, 'select_topk') >= 1;
}

function selectionOf(keep: number): Selection {
  return { ranks: [{ model: 0, keep }], sums: false };
}

function selectionPasses(operation: MergeOperation, which: 'passes' | 'usualPasses'): number {
  return selectsAll(operation) ? 0 : selection[which](operation, selectionOf(1));
}

function isSelected(operation: MergeOperation, found: readonly Statistic[]): boolean {
  return selectsAll(operation) || selection.isComplete(found);
}

/** Every key is below this threshold: for a tensor in which the models agree, or a share too small for one element. */
function selectNothing({ work }: MergeOperation, ranges: number): Statistic {
  const highest = work === 'F32' ? 0x7fff_ffffn : 0x7fff_ffff_ffff_ffffn;
  return { keys: [highest], quotas: new Array<number>(ranges).fill(0) };
}

/** Turns a block's models into task vectors and writes their variances. */
function varianceWriter(models: number, workspace: Workspace): (block: Block, values: Pointer) => number {
  const table = workspace.allocate(models * 4);
  const { subtract, variance } = workspace.arithmetic;
  return ({ inputs, count }, values) => {
    const [base = 0, ...deltas] = inputs;
    for (const delta of deltas) subtract(delta, delta, base, count);
    new Uint32Array(workspace.memory.buffer, table, models).set(deltas);
    return variance(values, table, models, count);
  };
}

function isPair({ inputs }: MergeOperation): boolean {
  return inputs.length === 3;
}

/** The same of two models of bf16 as they are stored. */
function pairVarianceWriter({ kernels }: Workspace): (block: Block, values: Pointer) => number {
  return ({ inputs: [base = 0, x = 0, y = 0], count }, values) => kernels.variancePairBF16(values, base, x, y, count);
}

function gatherVariances(operation: MergeOperation, found: readonly Statistic[], workspace: Workspace): Gatherer {
  const write = varianceWriter(operation.inputs.length - 1, workspace);
  const counted: Counted = { seen: 0, nonzero: 0 };
  const countWith =
    (look: typeof write) =>
    (block: Block, target: Pointer): void => {
      counted.seen += block.count;
      counted.nonzero += look(block, target);
    };
  const writePair = isPair(operation) ? pairVarianceWriter(workspace) : undefined;
  const countPair = countWith(({ inputs: [base = 0, x = 0, y = 0], count }, window) =>
    workspace.kernels.countVariancesPairBF16(base, x, y, window, count),
  );
  const gatherer = gatherValues(operation, selectionOf(1), found, workspace, {
    decoded: countWith(write),
    stored: writePair && countWith(writePair),
    ...(writePair && isNormal(windowsOf(found)) && { counted: countPair }),
  });
  return { ...gatherer, partial: () => ({ ...gatherer.partial(), ...counted }) };
}

/** The keys of normal numbers, which are all that distances tell apart. */
const [LEAST_NORMAL, INFINITE] = [0x80_0000, 0x7f80_0000];

function isNormal(windows: Windows | undefined): boolean {
  const [low = 0, width = 0] = [windows?.lows[0], windows?.widths[0]];
  return low > LEAST_NORMAL && low + width <= INFINITE;
}

function addUpCounted(partials: readonly Statistic[]): Counted {
  const counted = partials as unknown as readonly Counted[];
  const sum = (key: keyof Counted): number => counted.reduce((total, partial) => total + partial[key], 0);
  return { seen: sum('seen'), nonzero: sum('nonzero') };
}

/**
 * Turns a block's models into task vectors, zero where the element was not selected.
 * @param threshold whose quota is used up; undefined: all are selected
 */
function selector(
  operation: MergeOperation,
  threshold: Threshold | undefined,
  workspace: Workspace,
  note?: (selected: Pointer, block: Block) => void,
): (block: Block) => void {
  const { subtract, keepWhere, elementBytes } = workspace.arithmetic;
  if (threshold === undefined) {
    return ({ inputs: [base = 0, ...models], count }) => {
      for (const model of models) subtract(model, model, base, count);
    };
  }
  const write = varianceWriter(operation.inputs.length - 1, workspace);
  const trim = trimmer(threshold, workspace);
  const bytes = BLOCK_ELEMENTS * elementBytes;
  const [zeros, variances] = [workspace.allocate(bytes), workspace.reserve(bytes)];
  return (block) => {
    write(block, variances);
    trim(variances, zeros, block.count);
    note?.(variances, block);
    for (const delta of block.inputs.slice(1)) keepWhere(delta, variances, block.count);
  };
}

function gatherEnergies(
  operation: MergeOperation,
  found: readonly Statistic[],
  range: number,
  workspace: Workspace,
): Gatherer {
  const masks = masksOf(operation, workspace);
  const [threshold] = thresholds(found, range);
  const select = selector(operation, threshold, workspace, (selected, block) => masks.note(SELECTED, selected, block));
  const squares: number[] = [];
  const selectPair = pairSelector(threshold, workspace, (sums) => squares.push(...sums));
  const maskAt = isPair(operation) ? masks.keeping(SELECTED, selectPair) : undefined;
  return {
    block: (block) => {
      select(block);
      for (const delta of block.inputs.slice(1)) squares.push(workspace.arithmetic.sumSquares(delta, block.count));
    },
    stored: maskAt && ((block) => void maskAt(block)),
    partial: () => ({ squares: Float64Array.from(squares) }),
  };
}

/** Makes the mask of what is selected of two models; `onSums` hears the sums of squares of what is left of each. */
function pairSelector(
  threshold: Threshold | undefined,
  { kernels, reserve, memory }: Workspace,
  onSums?: (sums: Float64Array) => void,
): MakeMask {
  const [limit, sums] = [reserve(8), reserve(16)];
  return (mask, { count, inputs: [base = 0, x = 0, y = 0] }) => {
    const view = new Uint32Array(memory.buffer, limit, 2);
    view.set([Number(threshold?.key ?? -1n), threshold?.quota ?? 0]);
    kernels.measureSelectedPairBF16(base, x, y, limit, mask, sums, count);
    if (threshold !== undefined) threshold.quota = view[1] ?? 0;
    onSums?.(new Float64Array(memory.buffer, sums, 2));
  };
}

/** The models' shares, their sums taken in block order. */
function combineEnergies(operation: MergeOperation, partials: readonly Statistic[]): Statistic {
  const sums = operation.inputs.slice(1).map(() => 0);
  for (const partial of partials) {
    (partial['squares'] as Float64Array).forEach((square, at) => {
      const model = at % sums.length;
      sums[model] = (sums[model] ?? 0) + square;
    });
  }
  const energies = sums.map((sum) => sum / operation.elements);
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  return { shares: energies.map((energy) => (total < NEGLIGIBLE_ENERGY ? 1 / energies.length : energy / total)) };
}
