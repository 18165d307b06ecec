import type { Pointer } from '../kernels/kernels.js';
import type { Coefficients } from './gram-tensor.js';
import { Gram, gramEntries, packedIndex } from './gram.js';
import { type Block, type Gatherer, type Method, type MergeOperation, rowElements, type Workspace } from './method.js';

/**
 * A weighted sum whose coefficients follow, for every column of every matrix anew, from the Gram matrix of that column of
 * each vector. A tensor of rank 3 is a stack of matrices.
 */
export function gramOfColumns(coefficients: Coefficients): Method {
  return {
    byRows: true,
    inOneRange: true,
    passes: () => 1,
    gather: gatherColumns,
    combine: (operation, _pass, _found, [partial], workspace) => {
      const vectors = vectorCount(operation);
      const gram = partial?.['gram'] as Float64Array;
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

function vectorCount(operation: MergeOperation): number {
  return operation.inputs.length - Number(operation.hasBase);
}

function columnCount(operation: MergeOperation): number {
  const matrices = operation.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return matrices * rowElements(operation);
}

/** Calls back for every row of a block: where it begins in the block, and its matrix's first column. */
function eachRow(operation: MergeOperation, block: Block, visit: (at: number, firstColumn: number) => void): void {
  const row = rowElements(operation);
  const matrix = row * (operation.shape.at(-2) ?? 1);
  for (let at = 0; at < block.count; at += row) visit(at, Math.floor((block.first + at) / matrix) * row);
}

/** Sums of products in f64, row after row: one array of columns for each entry of the packed triangle. */
function gatherColumns(operation: MergeOperation, _pass: number, _found: unknown, workspace: Workspace): Gatherer {
  const { kernels, memory } = workspace;
  const [vectors, columns, row] = [vectorCount(operation), columnCount(operation), rowElements(operation)];
  const matrices = columns / row;
  // A kernel may write past the end of a row, and must not reach the sums of the next matrix.
  const stride = Math.ceil(row / 16) * 16 * 8;
  const sums = Array.from({ length: gramEntries(vectors) }, () => workspace.allocate(matrices * stride));
  const wide = operation.inputs.map(() => workspace.reserve(row * 8));
  const inDouble = (x: Pointer, own: Pointer): Pointer => {
    if (operation.work === 'F64') return x;
    kernels.promote(x, own, row);
    return own;
  };
  const vectorRows = (inputs: readonly Pointer[]): Pointer[] => {
    const rows = inputs.map((x, i) => inDouble(x, wide[i] ?? 0));
    const [base = 0, ...models] = rows;
    if (!operation.hasBase) return rows;
    return models.map((model, i) => {
      const delta = wide[i + 1] ?? 0;
      kernels.subtractF64(delta, model, base, row);
      return delta;
    });
  };
  return {
    block: (block) => {
      eachRow(operation, block, (at, firstColumn) => {
        const offset = at * workspace.arithmetic.elementBytes;
        const rows = vectorRows(block.inputs.map((start) => start + offset));
        rows.forEach((x, i) => {
          for (let j = i; j < vectors; j++) {
            const sum = (sums[packedIndex(vectors, i, j)] ?? 0) + (firstColumn / row) * stride;
            kernels.addProductF64(sum, x, rows[j] ?? 0, row);
          }
        });
      });
    },
    partial: () => {
      const gram = new Float64Array(sums.length * columns);
      sums.forEach((sum, entry) => {
        for (let matrix = 0; matrix < matrices; matrix++) {
          gram.set(new Float64Array(memory.buffer, sum + matrix * stride, row), entry * columns + matrix * row);
        }
      });
      return { gram };
    },
  };
}

function applyColumns(
  operation: MergeOperation,
  coefficients: Float64Array,
  workspace: Workspace,
): (block: Block) => void {
  const { elementBytes, multiply, addProduct, subtract, add } = workspace.arithmetic;
  const [columns, row] = [columnCount(operation), rowElements(operation)];
  const tables = Array.from({ length: vectorCount(operation) }, (_unused, i) => {
    const table = workspace.allocate(columns * elementBytes);
    const Table = operation.work === 'F32' ? Float32Array : Float64Array;
    new Table(workspace.memory.buffer, table, columns).set(coefficients.subarray(i * columns, (i + 1) * columns));
    return table;
  });
  return (block) => {
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
}
