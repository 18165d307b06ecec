import type { Pointer } from '../kernels/kernels.js';
import { type Block, type Fill, type Gatherer, type MergeOperation, rowElements, type Workspace } from './method.js';

/** Columns of all matrices of a tensor: one of rank 3 is a stack of them, a vector has as many as elements. */
export function columnCount(operation: MergeOperation): number {
  const matrices = operation.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return matrices * rowElements(operation);
}

/** Inputs beside the base. */
export function vectorCount(operation: MergeOperation): number {
  return operation.inputs.length - Number(operation.hasBase);
}

/** Calls back for every row of a block: where it begins in the block, and its matrix's first column. */
function eachRow(operation: MergeOperation, block: Block, visit: (at: number, firstColumn: number) => void): void {
  const row = rowElements(operation);
  eachMatrix(operation, block, (from, firstColumn, rows) => {
    for (let i = 0; i < rows; i++) visit(from + i * row, firstColumn);
  });
}

/** The same for every run of rows of one matrix. */
function eachMatrix(
  operation: MergeOperation,
  { first, count }: Block,
  visit: (at: number, firstColumn: number, rows: number) => void,
): void {
  const row = rowElements(operation);
  const matrix = row * (operation.shape.at(-2) ?? 1);
  for (let at = 0; at < count;) {
    const index = Math.floor((first + at) / matrix);
    const end = Math.min(count, (index + 1) * matrix - first);
    visit(at, index * row, (end - at) / row);
    at = end;
  }
}

/**
 * Turns a row of every input into f64: the inputs themselves, or the base and the differences from it. The buffers are
 * overwritten by the next row.
 */
export function wideRows(
  operation: MergeOperation,
  { kernels, reserve }: Workspace,
): (inputs: readonly Pointer[]) => Pointer[] {
  const row = rowElements(operation);
  const wide = operation.inputs.map(() => reserve(row * 8));
  return (inputs) => {
    const rows = inputs.map((x, i) => {
      const own = wide[i] ?? 0;
      if (operation.work === 'F64') return x;
      kernels.promote(x, own, row);
      return own;
    });
    const [base = 0, ...models] = rows;
    if (!operation.hasBase) return rows;
    const deltas = models.map((model, i) => {
      const delta = wide[i + 1] ?? 0;
      kernels.subtractF64(delta, model, base, row);
      return delta;
    });
    return [base, ...deltas];
  };
}

/** Adds rows of one matrix, bf16 as they are stored, to the sums of each pair. */
export type AddStoredRows = (inputs: readonly Pointer[], sums: readonly Pointer[], row: number, rows: number) => void;

/**
 * Sums the products of two of `wideRows` in f64, row after row, for each of the pairs: one array of columns after the other.
 * For a method that is `byRows` and `inOneRange`.
 */
export function columnSums(
  operation: MergeOperation,
  pairs: readonly (readonly [number, number])[],
  workspace: Workspace,
  addStored?: AddStoredRows,
): Gatherer {
  const { kernels, memory } = workspace;
  const [columns, row] = [columnCount(operation), rowElements(operation)];
  const matrices = columns / row;
  // A kernel may write past the end of a row, and must not reach the sums of the next matrix.
  const stride = Math.ceil(row / 16) * 16 * 8;
  const sums = pairs.map(() => workspace.allocate(matrices * stride));
  const sumsOf = (firstColumn: number): Pointer[] => sums.map((sum) => sum + (firstColumn / row) * stride);
  const toRows = wideRows(operation, workspace);
  const stored = (block: Block): void => {
    eachMatrix(operation, block, (at, firstColumn, rows) => {
      const inputs = block.inputs.map((start) => start + at * 2);
      addStored?.(inputs, sumsOf(firstColumn), row, rows);
    });
  };
  return {
    block: (block) => {
      eachRow(operation, block, (at, firstColumn) => {
        const offset = at * workspace.arithmetic.elementBytes;
        const rows = toRows(block.inputs.map((start) => start + offset));
        const own = sumsOf(firstColumn);
        pairs.forEach(([i, j], pair) => {
          kernels.addProductF64(own[pair] ?? 0, rows[i] ?? 0, rows[j] ?? 0, row);
        });
      });
    },
    // Row after row, wherever a block ends.
    ...(addStored && { stored, isPointwise: true }),
    partial: () => {
      const found = new Float64Array(sums.length * columns);
      sums.forEach((sum, pair) => {
        for (let matrix = 0; matrix < matrices; matrix++) {
          found.set(new Float64Array(memory.buffer, sum + matrix * stride, row), pair * columns + matrix * row);
        }
      });
      return { sums: found };
    },
  };
}

/**
 * y = sum of c_i x_i, or base + sum of c_i (x_i - base), with coefficients of each column: one array of columns for each
 * vector. For a method that is `byRows`.
 */
export function applyColumns(operation: MergeOperation, coefficients: Float64Array, workspace: Workspace): Fill {
  const { elementBytes, multiply, addProduct, subtract, add } = workspace.arithmetic;
  const [columns, row] = [columnCount(operation), rowElements(operation)];
  const tables = Array.from({ length: vectorCount(operation) }, (_unused, i) => {
    const table = workspace.allocate(columns * elementBytes);
    const Table = operation.work === 'F32' ? Float32Array : Float64Array;
    new Table(workspace.memory.buffer, table, columns).set(coefficients.subarray(i * columns, (i + 1) * columns));
    return table;
  });
  const fill = (block: Block): void => {
    const [base = 0] = block.inputs;
    const vectors = operation.hasBase ? block.inputs.slice(1) : block.inputs;
    if (operation.hasBase) for (const model of vectors) subtract(model, model, base, block.count);
    eachRow(operation, block, (at, firstColumn) => {
      const [offset, first] = [at * elementBytes, firstColumn * elementBytes];
      vectors.forEach((start, i) => {
        (i === 0 ? multiply : addProduct)(block.output + offset, start + offset, (tables[i] ?? 0) + first, row);
      });
    });
    if (operation.hasBase) add(block.output, base, block.count);
  };
  const [cs, ds, ...others] = tables;
  if (cs === undefined || ds === undefined || others.length > 0) return fill;
  const { addProductPairBF16, addDeltaProductPairBF16 } = workspace.kernels;
  const stored = (block: Block): void => {
    eachRow(operation, block, (at, firstColumn) => {
      const [x = 0, y = 0, z = 0] = block.inputs.map((start) => start + at * 2);
      const [output, first] = [block.output + at * 2, firstColumn * elementBytes];
      if (operation.hasBase) addDeltaProductPairBF16(output, x, y, z, cs + first, ds + first, row);
      else addProductPairBF16(output, x, y, cs + first, ds + first, row);
    });
  };
  return Object.assign(fill, { stored });
}
