import type { Coefficients } from './gram-tensor.js';
import { Gram, gramMeter } from './gram.js';
import { type Method, rowElements } from './method.js';
import { vectorCount, vectorsOf } from './vectors.js';
import { applyWeightedSum, directMethod } from './weighted-sum.js';

/** A weighted sum whose coefficients follow, for every row anew, from the Gram matrix of that row of each vector. */
export function gramOfRows(coefficients: Coefficients): Method {
  const rows = directMethod((operation, workspace) => {
    const { arithmetic, kernels } = workspace;
    const vectors = vectorCount(operation);
    const measure = gramMeter(vectors, workspace);
    const row = rowElements(operation);
    return (block) => {
      const starts = vectorsOf(operation, block, workspace);
      // In order: what a kernel leaves past the end of a row lies where the next row is still to be written.
      for (let at = 0; at < block.count; at += row) {
        const offset = at * arithmetic.elementBytes;
        const inputs = starts.map((start) => start + offset);
        const found = coefficients(new Gram(vectors, measure(inputs, row)), operation, kernels);
        applyWeightedSum(
          found,
          workspace,
        )({ first: block.first + at, count: row, inputs, output: block.output + offset });
      }
      if (operation.hasBase) arithmetic.add(block.output, block.inputs[0] ?? 0, block.count);
    };
  });
  return { ...rows, byRows: true };
}
