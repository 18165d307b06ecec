import type { Pointer } from '../kernels/kernels.js';
import type { MergeOperation, Workspace } from './method.js';
import { rowElements } from './method.js';

/** What the divergence of a row leaves of each element: two f64; and of a whole vector beyond the last one. */
const SCRATCH_BYTES = 16;

type RowDivergences = (model: Pointer, base: Pointer, count: number) => number[];

/** KL(softmax(x) || softmax(b)) along the last dimension, in f64, for each of some whole rows: decoded, and as bf16. */
export function rowDivergences(
  operation: MergeOperation,
  workspace: Workspace,
): { decoded: RowDivergences; stored: RowDivergences } {
  const row = rowElements(operation);
  const { kernels, arithmetic } = workspace;
  const scratch = workspace.reserve((row + 4) * SCRATCH_BYTES);
  const each =
    (divergence: typeof kernels.divergenceBF16, elementBytes: number): RowDivergences =>
    (model, base, count) =>
      Array.from({ length: count / row }, (_unused, i) => {
        const at = i * row * elementBytes;
        return divergence(model + at, base + at, scratch, row);
      });
  return { decoded: each(arithmetic.divergence, arithmetic.elementBytes), stored: each(kernels.divergenceBF16, 2) };
}
