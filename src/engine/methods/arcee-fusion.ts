import type { Pointer } from '../kernels/kernels.js';
import { type Block, blockElements, type Gatherer, type Method, type MergeOperation } from './method.js';
import { rowElements, type Statistic, type Walk, type Workspace } from './method.js';
import { rowDivergences } from './row-divergence.js';
import { sampleWalk } from './selection/sample.js';
import type { Selection } from './selection/rank.js';
import { selection, thresholds } from './selection/selection.js';
import { gatherValues } from './selection/values.js';

/** The quartiles from the largest down. */
const QUARTILES = [0.75, 0.5, 0.25];
/** How far above the median, in distances between the outer quartiles, an element must be. */
const SPREAD = 1.5;

/** Element trunc(q (n - 1)) of the scores in ascending order, for each quartile q. */
function selectionOf({ elements }: MergeOperation): Selection {
  const keepOf = (quartile: number): number => elements - Math.trunc(quartile * (elements - 1));
  return { ranks: QUARTILES.map((quartile) => ({ model: 0, keep: keepOf(quartile) })), sums: false };
}

/**
 * Arcee Fusion. An element's score is |x - b| times its row's KL(softmax(x) + 1e-8 || softmax(b) + 1e-8), summed in f64
 * along the last dimension. y = x where the score is at least median + 1.5 (Q3 - Q1) of the tensor's scores, else b; the
 * quartiles are exact. The first pass finds the rows' divergences and, in f32, takes a sample of the scores on the way.
 */
export const arceeFusion: Method = {
  byRows: true,
  passes: (operation) => selection.passes(operation, selectionOf(operation)) + extraPasses(operation),
  usualPasses: (operation) => selection.usualPasses(operation, selectionOf(operation)) + extraPasses(operation),
  isComplete: (_operation, found) => selection.isComplete(found),
  walk: (operation, found) => {
    const size = blockElements(operation, arceeFusion);
    if (found.length === 0) return { size, stride: size };
    return selection.walk(operation, selectionOf(operation), selectedSoFar(operation, found));
  },
  gather: (operation, _pass, found, workspace) => {
    if (found.length === 0) return gatherRows(operation, workspace);
    const write = scoreWriter(operation, divergencesOf(found), workspace);
    return gatherValues(operation, selectionOf(operation), selectedSoFar(operation, found), workspace, write);
  },
  combine: (operation, _pass, found, partials, workspace) => {
    const selected = selectionOf(operation);
    if (found.length > 0) {
      return selection.combine(operation, selected, selectedSoFar(operation, found), partials, workspace);
    }
    const sample = operation.work === 'F32' ? selection.combine(operation, selected, [], partials, workspace) : {};
    const rows = partials.flatMap((partial) => [...(partial['divergences'] as Float64Array)]);
    return { ...sample, divergences: Float64Array.from(rows) };
  },
  apply: (operation, found, _range, workspace) => {
    const { subtract, trim, keepWhere, add, elementBytes } = workspace.arithmetic;
    const size = blockElements(operation, arceeFusion);
    const write = scoreWriter(operation, divergencesOf(found), workspace);
    const [scores, zeros] = [workspace.reserve(size * elementBytes), workspace.allocate(size * elementBytes)];
    const least = leastKey(found, workspace);
    return (block) => {
      const { inputs, output, count } = block;
      const [base = 0, model = 0] = inputs;
      subtract(output, model, base, count);
      // At a least score of 0 everything is chosen, even where a score is 0.
      if (least > 0n) {
        write(block, scores);
        trim(scores, zeros, least, count, count);
        keepWhere(output, scores, count);
      }
      add(output, base, count);
    };
  },
};

/** In f64 the selection takes no sample, and the rows' divergences need a pass of their own. */
function extraPasses({ work }: MergeOperation): number {
  return work === 'F64' ? 1 : 0;
}

function selectedSoFar({ work }: MergeOperation, found: readonly Statistic[]): readonly Statistic[] {
  return work === 'F64' ? found.slice(1) : found;
}

function divergencesOf(found: readonly Statistic[]): (row: number) => number {
  const divergences = found[0]?.['divergences'] as Float64Array;
  return (row) => divergences[row] ?? 0;
}

/** The rows' divergences, and the sample of scores. */
function gatherRows(operation: MergeOperation, workspace: Workspace): Gatherer {
  const divergences: number[] = [];
  const measure = rowDivergences(operation, workspace);
  if (operation.work === 'F64') {
    return {
      block: (block) => void divergences.push(...measure(block)),
      partial: () => ({ divergences: Float64Array.from(divergences) }),
    };
  }
  let current: { first: number; values: readonly number[] } = { first: 0, values: [] };
  const row = rowElements(operation);
  const divergenceOf = (index: number): number => current.values[index - current.first] ?? 0;
  const write = scoreWriter(operation, divergenceOf, workspace);
  const sample = gatherValues(operation, selectionOf(operation), [], workspace, write);
  const walk = sampleWalk(operation);
  const bytes = workspace.arithmetic.elementBytes;
  return {
    block: (block) => {
      current = { first: block.first / row, values: measure(block) };
      divergences.push(...current.values);
      for (const { first, count } of piecesOf(walk, block)) {
        const inputs = block.inputs.map((input) => input + (first - block.first) * bytes);
        sample.block({ ...block, inputs, first, count });
      }
    },
    partial: () => ({ ...sample.partial(), divergences: Float64Array.from(divergences) }),
  };
}

/** What a walk through the whole tensor meets of one block. */
function* piecesOf(
  { size, stride, section }: Walk,
  { first, count }: { first: number; count: number },
): Generator<{ first: number; count: number }> {
  const end = first + count;
  for (let at = Math.floor(first / stride) * stride; at < end; at += stride) {
    if (section !== undefined && at % section.stride >= section.size) continue;
    const [from, to] = [Math.max(at, first), Math.min(at + size, end)];
    if (from < to) yield { first: from, count: to - from };
  }
}

/** Writes (x - b) times the divergence of the row: a score, up to its sign. */
function scoreWriter(
  operation: MergeOperation,
  divergenceOf: (row: number) => number,
  workspace: Workspace,
): (block: Block, scores: Pointer) => void {
  const { subtract, scale, elementBytes } = workspace.arithmetic;
  const row = rowElements(operation);
  const deltas = workspace.reserve(blockElements(operation, arceeFusion) * elementBytes);
  return ({ first, inputs: [base = 0, model = 0], count }, scores) => {
    subtract(deltas, model, base, count);
    for (let at = 0; at < count;) {
      const index = Math.floor((first + at) / row);
      const n = Math.min(count - at, (index + 1) * row - first - at);
      // Not in place: the kernel may run past the row, and the next row would be scaled twice.
      scale(scores + at * elementBytes, deltas + at * elementBytes, divergenceOf(index), n);
      at += n;
    }
  };
}

/** The key of the smallest score that is chosen: of the smallest number of the work dtype that is not below the limit. */
function leastKey(found: readonly Statistic[], { arithmetic }: Workspace): bigint {
  const [upper = 0, median = 0, lower = 0] = thresholds(found, 0).map(({ key }) => arithmetic.magnitude(key));
  return arithmetic.keyFrom(median + SPREAD * (upper - lower));
}
