import type { Pointer } from '../kernels/kernels.js';
import { type Block, blockElements, type Gatherer, type Method, type MergeOperation } from './method.js';
import { rowElements, type Statistic, type Walk, type Workspace } from './method.js';
import { rowDivergences } from './row-divergence.js';
import { sampleWalk } from './selection/sample.js';
import type { Selection } from './selection/rank.js';
import { selection, thresholds } from './selection/selection.js';
import { gatherValues } from './selection/values.js';
import type { CountStored } from './selection/windows.js';

/** The quartiles from the largest down. */
const QUARTILES = [0.75, 0.5, 0.25];
/** Of bf16 as it is stored. */
const BRAIN_BYTES = 2;
/** How far above the median, in distances between the outer quartiles, an element must be. */
const SPREAD = 1.5;

/** Element trunc(q (n - 1)) of the scores in ascending order, for each quartile q. */
function selectionOf({ elements }: MergeOperation): Selection {
  const keepOf = (quartile: number): number => elements - Math.trunc(quartile * (elements - 1));
  const ranks = QUARTILES.map((quartile) => ({ model: 0, keep: keepOf(quartile) }));
  return { ranks, sums: false, isScattered: true };
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
    const scores = scoreWriters(operation, divergencesOf(found), workspace);
    const selected = selectedSoFar(operation, found);
    const factorsFrom = factorsOf(operation, found, workspace);
    const row = rowElements(operation);
    const counted: CountStored = ({ first, inputs: [base = 0, model = 0], count: n }, windows) =>
      workspace.kernels.countScoresBF16(model, base, factorsFrom(first), row, windows, n);
    return gatherValues(operation, selectionOf(operation), selected, workspace, { ...scores, counted });
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
    const { kernels, arithmetic } = workspace;
    const divergenceOf = divergencesOf(found);
    const least = leastKey(found, workspace);
    const fill = ({ first, inputs: [base = 0, model = 0], output, count }: Block): void =>
      eachRow(operation, first, count, (at, n, row) => {
        // In order: what a kernel leaves past the end of a row lies where the next row is still to be written.
        const offset = at * arithmetic.elementBytes;
        arithmetic.takeScored(output + offset, model + offset, base + offset, divergenceOf(row), least, n);
      });
    const factorsFrom = factorsOf(operation, found, workspace);
    const [row, key] = [rowElements(operation), Number(least)];
    const stored = ({ first, inputs: [base = 0, model = 0], output, count }: Block): void =>
      kernels.takeScoredBF16(output, model, base, factorsFrom(first), row, key, count);
    return Object.assign(fill, { stored, isPointwise: true });
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

/** Where the divergences lie, in f32, from the row on that begins with an element. */
function factorsOf(
  operation: MergeOperation,
  found: readonly Statistic[],
  { memory, reserve }: Workspace,
): (first: number) => Pointer {
  const divergences = found[0]?.['divergences'] as Float64Array;
  const factors = reserve(divergences.length * 4);
  new Float32Array(memory.buffer, factors, divergences.length).set(divergences);
  return (first) => factors + (first / rowElements(operation)) * 4;
}

/** The rows' divergences, and the sample of scores. */
function gatherRows(operation: MergeOperation, workspace: Workspace): Gatherer {
  const divergences: number[] = [];
  const measure = rowDivergences(operation, workspace);
  const row = rowElements(operation);
  const note = ({ inputs: [base = 0, model = 0], count }: Block, how: 'decoded' | 'stored'): readonly number[] => {
    const values = measure[how](model, base, count);
    for (const value of values) divergences.push(value);
    return values;
  };
  if (operation.work === 'F64') {
    return {
      block: (block) => void note(block, 'decoded'),
      partial: () => ({ divergences: Float64Array.from(divergences) }),
    };
  }
  let current: { first: number; values: readonly number[] } = { first: 0, values: [] };
  const scores = scoreWriters(operation, (index) => current.values[index - current.first] ?? 0, workspace);
  const selected = selectionOf(operation);
  const sample = gatherValues(operation, selected, [], workspace, scores);
  const walk = sampleWalk(operation);
  const gather =
    (how: 'decoded' | 'stored', look: ((block: Block) => void) | undefined, elementBytes: number) =>
    (block: Block): void => {
      current = { first: block.first / row, values: note(block, how) };
      for (const { first, count } of piecesOf(walk, block)) {
        const inputs = block.inputs.map((input) => input + (first - block.first) * elementBytes);
        look?.({ ...block, inputs, first, count });
      }
    };
  return {
    block: gather('decoded', sample.block.bind(sample), workspace.arithmetic.elementBytes),
    stored: gather('stored', sample.stored, BRAIN_BYTES),
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

/** Calls back for every part of a row that lies in a run of elements: where it begins there, its length, the row's index. */
function eachRow(
  operation: MergeOperation,
  first: number,
  count: number,
  visit: (at: number, n: number, row: number) => void,
): void {
  const row = rowElements(operation);
  for (let at = 0; at < count;) {
    const index = Math.floor((first + at) / row);
    const n = Math.min(count - at, (index + 1) * row - first - at);
    visit(at, n, index);
    at += n;
  }
}

type WriteScores = (block: Block, scores: Pointer) => void;

/** Write (x - b) times the divergence of the row, a score up to its sign: of decoded blocks, and of bf16 as it is stored. */
function scoreWriters(
  operation: MergeOperation,
  divergenceOf: (row: number) => number,
  { arithmetic, kernels, reserve }: Workspace,
): { decoded: WriteScores; stored: WriteScores } {
  const { subtract, scale, elementBytes } = arithmetic;
  const deltas = reserve(blockElements(operation, arceeFusion) * elementBytes);
  return {
    decoded: ({ first, inputs: [base = 0, model = 0], count }, scores) => {
      subtract(deltas, model, base, count);
      eachRow(operation, first, count, (at, n, row) => {
        // Not in place: the kernel may run past the row, and the next row would be scaled twice.
        scale(scores + at * elementBytes, deltas + at * elementBytes, divergenceOf(row), n);
      });
    },
    stored: ({ first, inputs: [base = 0, model = 0], count }, scores) => {
      eachRow(operation, first, count, (at, n, row) => {
        const offset = at * BRAIN_BYTES;
        kernels.scaleDeltaBF16(scores + at * elementBytes, model + offset, base + offset, divergenceOf(row), n);
      });
    },
  };
}

/** The key of the smallest score that is chosen: of the smallest number of the work dtype that is not below the limit. */
function leastKey(found: readonly Statistic[], { arithmetic }: Workspace): bigint {
  const [upper = 0, median = 0, lower = 0] = thresholds(found, 0).map(({ key }) => arithmetic.magnitude(key));
  return arithmetic.keyFrom(median + SPREAD * (upper - lower));
}
