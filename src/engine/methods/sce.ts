import type { Pointer } from '../kernels/kernels.js';
import { BLOCK_ELEMENTS, type Block, type Gatherer, type Method, type MergeOperation } from './method.js';
import { numberSetting, type Statistic, type Workspace } from './method.js';
import type { Selection } from './selection/rank.js';
import { selection, type Threshold, thresholds, trimmer } from './selection/selection.js';
import { gatherValues } from './selection/values.js';
import { electing } from './task-vectors/election.js';
import { KeptMasks } from './task-vectors/masks.js';

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
    const mask = masksOf(operation, workspace).find(SELECTED);
    const merge = electing(
      operation,
      shares.map((_share, model) => ({ ...mask, model })),
      voters,
      0,
      workspace,
    );
    if (mask === undefined) {
      const select = selector(operation, found.slice(0, -1), range, workspace);
      return (block) => {
        select(block);
        merge(block);
      };
    }
    const fill = (block: Block): void => {
      const [base = 0, ...models] = block.inputs;
      for (const model of models) mask.sparsify(model, base, block);
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
    (writer: typeof write) =>
    (block: Block, values: Pointer): void => {
      counted.seen += block.count;
      counted.nonzero += writer(block, values);
    };
  const writePair = isPair(operation) ? pairVarianceWriter(workspace) : undefined;
  const gatherer = gatherValues(
    operation,
    selectionOf(1),
    found,
    workspace,
    countWith(write),
    writePair && countWith(writePair),
  );
  return { ...gatherer, partial: () => ({ ...gatherer.partial(), ...counted }) };
}

function addUpCounted(partials: readonly Statistic[]): Counted {
  const counted = partials as unknown as readonly Counted[];
  const sum = (key: keyof Counted): number => counted.reduce((total, partial) => total + partial[key], 0);
  return { seen: sum('seen'), nonzero: sum('nonzero') };
}

/** Turns a block's models into task vectors, zero where the element was not selected. */
function selector(
  operation: MergeOperation,
  found: readonly Statistic[],
  range: number,
  workspace: Workspace,
  note?: (selected: Pointer, block: Block) => void,
): (block: Block) => void {
  const { subtract, keepWhere, elementBytes } = workspace.arithmetic;
  const [threshold] = thresholds(found, range);
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
  const select = selector(operation, found, range, workspace, (selected, block) =>
    masks.note(SELECTED, selected, block),
  );
  const squares: number[] = [];
  const [threshold] = thresholds(found, range);
  const isStored = isPair(operation) && workspace.kept !== undefined && threshold !== undefined;
  return {
    block: (block) => {
      select(block);
      for (const delta of block.inputs.slice(1)) squares.push(workspace.arithmetic.sumSquares(delta, block.count));
    },
    stored: isStored ? measureSelected(threshold, masks, squares, workspace) : undefined,
    partial: () => ({ squares: Float64Array.from(squares) }),
  };
}

/** Notes what is selected of two models of bf16 as they are stored, and adds the sums of squares of each block. */
function measureSelected(
  threshold: Threshold,
  masks: KeptMasks,
  squares: number[],
  { kernels, reserve, memory }: Workspace,
): (block: Block) => void {
  const [limit, sums] = [reserve(8), reserve(16)];
  new Uint32Array(memory.buffer, limit, 2).set([Number(threshold.key), threshold.quota]);
  return ({ first, count, inputs: [base = 0, x = 0, y = 0] }) => {
    kernels.measureSelectedPairBF16(base, x, y, limit, masks.placeFor(SELECTED, first), sums, count);
    squares.push(...new Float64Array(memory.buffer, sums, 2));
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
