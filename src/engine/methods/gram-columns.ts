import { applyColumns, columnCount, columnSums, vectorCount } from './columns.js';
import type { Coefficients } from './gram-tensor.js';
import { Gram, gramEntries } from './gram.js';
import type { Method, MergeOperation } from './method.js';

/**
 * A weighted sum whose coefficients follow, for every column of every matrix anew, from the Gram matrix of that column of
 * each vector. A tensor of rank 3 is a stack of matrices.
 */
export function gramOfColumns(coefficients: Coefficients): Method {
  return {
    byRows: true,
    inOneRange: true,
    passes: () => 1,
    gather: (operation, _pass, _found, workspace) => columnSums(operation, pairsOf(operation), workspace),
    combine: (operation, _pass, _found, [partial], workspace) => {
      const vectors = vectorCount(operation);
      const gram = partial?.['sums'] as Float64Array;
      const columns = columnCount(operation);
      const found = new Float64Array(vectors * columns);
      const packed = new Array<number>(gramEntries(vectors)).fill(0);
      for (let column = 0; column < columns; column++) {
        packed.forEach((_unused, entry) => (packed[entry] = gram[entry * columns + column] ?? 0));
        const own = coefficients(new Gram(vectors, packed), operation, workspace.kernels);
        own.forEach((coefficient, i) => (found[i * columns + column] = coefficient));
      }
      return { gram, coefficients: found };
    },
    apply: (operation, found, _range, workspace) =>
      applyColumns(operation, found[0]?.['coefficients'] as Float64Array, workspace),
  };
}

/** The upper triangle, row by row, without the base. */
function pairsOf(operation: MergeOperation): [number, number][] {
  const vectors = operation.inputs.map((_input, i) => i).slice(Number(operation.hasBase));
  return vectors.flatMap((i) => vectors.filter((j) => j >= i).map((j): [number, number] => [i, j]));
}
