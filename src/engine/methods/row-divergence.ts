import type { Block, MergeOperation, Workspace } from './method.js';
import { rowElements } from './method.js';

/** The f64 sums of the two rows' exponentials. */
const SUMS_BYTES = 16;

/**
 * KL(softmax(x) || softmax(b)) along the last dimension, in f64, for each row of a block of whole rows.
 */
export function rowDivergences(operation: MergeOperation, workspace: Workspace): (block: Block) => number[] {
  const row = rowElements(operation);
  const [powers, basePowers] = [workspace.reserve(row * 8), workspace.reserve(row * 8)];
  const sums = workspace.allocate(SUMS_BYTES);
  const { exponentials, elementBytes } = workspace.arithmetic;
  return ({ inputs: [base = 0, model = 0], count }) => {
    const found: number[] = [];
    for (let at = 0; at < count; at += row) {
      const [x, b] = [model + at * elementBytes, base + at * elementBytes];
      exponentials(x, b, powers, basePowers, sums, row);
      const [sum = 0, baseSum = 0] = new Float64Array(workspace.memory.buffer, sums, 2);
      found.push(workspace.kernels.divergence(powers, sum, basePowers, baseSum, row));
    }
    return found;
  };
}
