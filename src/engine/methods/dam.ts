import { applyColumns, columnCount } from './columns.js';
import type { MergeOperation, TensorSlice, Workspace } from './method.js';
import { directMethod } from './weighted-sum.js';

/** DAM (arXiv:2410.08371): y[o, k] = sum c_i[k] x_i[o, k], with the coefficients of the recipe's file. */
export const dam = {
  ...directMethod((operation, workspace) => applyColumns(operation, ofEveryColumn(operation, workspace), workspace)),
  byRows: true,
};

/** One array of columns after the other, one for each input. */
function ofEveryColumn(operation: MergeOperation, { values }: Workspace): Float64Array {
  const columns = columnCount(operation);
  const all = new Float64Array(operation.inputs.length * columns);
  (operation.coefficients ?? []).forEach((slice: TensorSlice, i) => {
    const own = values(slice);
    for (let column = 0; column < columns; column++) all[i * columns + column] = own[column % own.length] ?? 0;
  });
  return all;
}
