import { dtypeBits } from '../checkpoint/dtype.js';
import type { MergeOperation, TensorSlice } from './method.js';

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
    ...(operation.coefficients && {
      coefficients: operation.coefficients.map((slice) => ofExpert(slice, expert, experts, columns)),
    }),
  }));
}

/** The coefficients are an expert's own where there are as many as columns of all experts. */
function ofExpert(slice: TensorSlice, expert: number, experts: number, columns: number): TensorSlice {
  if ((slice.bytes * 8) / dtypeBits(slice.dtype) !== experts * columns) return slice;
  const bytes = slice.bytes / experts;
  return { ...slice, offset: slice.offset + expert * bytes, bytes };
}
