import type { Coefficients } from './gram-tensor.js';
import { Gram, gramMeter } from './gram.js';
import { type Method, rowElements } from './method.js';
import { applyWeightedDeltas, applyWeightedSum, directMethod } from './weighted-sum.js';

/** A weighted sum whose coefficients follow, for every row anew, from the Gram matrix of that row of each vector. */
export function gramOfRows(coefficients: Coefficients): Method {
  const rows = directMethod((operation, workspace) => {
    const vectors = operation.inputs.length - Number(operation.hasBase);
    const measure = gramMeter(vectors, operation.hasBase, workspace);
    const sum = operation.hasBase ? applyWeightedDeltas : applyWeightedSum;
    const row = rowElements(operation);
    return (block) => {
      // In order: what a kernel leaves past the end of a row lies where the next row is still to be written.
      for (let at = 0; at < block.count; at += row) {
        const offset = at * workspace.arithmetic.elementBytes;
        const inputs = block.inputs.map((start) => start + offset);
        const found = coefficients(new Gram(vectors, measure(inputs, row)), operation, workspace.kernels);
        sum(found, workspace)({ first: block.first + at, count: row, inputs, output: block.output + offset });
      }
    };
  });
  return { ...rows, byRows: true };
}
