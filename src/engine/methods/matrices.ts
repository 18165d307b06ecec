import type { MergeOperation } from './method.js';

/** Where architectures keep all experts of a layer in one tensor: [experts, rows, columns]. */
const EXPERTS = /(^|\.)(experts|block_sparse_moe)\./;

/**
 * The operations of a tensor: one for each matrix where it stacks a layer's experts, as if these were stored apart, else
 * itself. A threshold or an angle belongs to a matrix; that of all experts together would let a large one silence the rest.
 */
export function matricesOf(operation: MergeOperation): MergeOperation[] {
  const [experts = 0, rows = 0, columns = 0] = operation.shape;
  if (operation.shape.length !== 3 || experts === 0 || !EXPERTS.test(operation.tensor)) return [operation];
  return Array.from({ length: experts }, (_unused, expert) => ({
    ...operation,
    tensor: `${operation.tensor}[${expert}]`,
    shape: [rows, columns],
    elements: rows * columns,
    inputs: operation.inputs.map((slice) => {
      const bytes = slice.bytes / experts;
      return { ...slice, offset: slice.offset + expert * bytes, bytes };
    }),
  }));
}
