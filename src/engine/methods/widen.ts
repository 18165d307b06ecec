import { applyColumns, columnCount, columnSums, wideRows } from './columns.js';
import { type Block, type Fill, type Method, type MergeOperation, rowElements, type Statistic } from './method.js';
import { type ColumnSums, scoresOfElements, scoresOfVectors } from './significance.js';
import { applyWeightedDeltas } from './weighted-sum.js';

/** <b, b>, then <b, d_i> and <d_i, d_i> of each model, with d_i = x_i - b. */
function pairsOf(operation: MergeOperation): [number, number][] {
  return [[0, 0], ...modelsOf(operation).flatMap((i): [number, number][] => [[0, i], [i, i]])]; // prettier-ignore
}

/** Positions of the models among the inputs, the base first. */
function modelsOf({ inputs }: MergeOperation): number[] {
  return inputs.slice(1).map((_input, i) => i + 1);
}

const ofColumns: Method = {
  byRows: true,
  inOneRange: true,
  passes: () => 1,
  gather: (operation, _pass, _found, workspace) => {
    const { addColumnsBF16 } = workspace.kernels;
    return columnSums(operation, pairsOf(operation), workspace, ([base = 0, ...models], sums, row, rows) => {
      models.forEach((model, i) => {
        const [cross = 0, own = 0] = sums.slice(2 * i + 1);
        addColumnsBF16(i === 0 ? (sums[0] ?? 0) : 0, cross, own, base, model, row, rows);
      });
    });
  },
  combine: (operation, _pass, _found, [partial], workspace) => {
    const columns = columnCount(operation);
    const sums = partial?.['sums'] as Float64Array;
    const at = (pair: number): Float64Array => sums.subarray(pair * columns, (pair + 1) * columns);
    const models = modelsOf(operation).map((i): ColumnSums => ({ base: at(0), cross: at(2 * i - 1), own: at(2 * i) }));
    const score = operation.shape.length < 2 ? scoresOfElements : scoresOfVectors;
    return { coefficients: score(models, operation, workspace.kernels) };
  },
  apply: (operation, found, _range, workspace) => applyColumns(operation, coefficientsOf(found), workspace),
};

/** The same with a token's row in place of a column. */
const ofRows: Method = {
  byRows: true,
  passes: () => 1,
  gather: (operation, _pass, _found, workspace) => {
    const { kernels, memory, arithmetic } = workspace;
    const row = rowElements(operation);
    const toRows = wideRows(operation, workspace);
    const target = workspace.allocate(3 * 8);
    const sums: number[] = [];
    const take = (): void => void sums.push(...new Float64Array(memory.buffer, target, 3));
    return {
      block: ({ inputs, count }) => {
        for (let at = 0; at < count; at += row) {
          const [base = 0, ...deltas] = toRows(inputs.map((start) => start + at * arithmetic.elementBytes));
          for (const delta of deltas) {
            kernels.gramF64(base, delta, target, row);
            take();
          }
        }
      },
      stored: ({ inputs: [base = 0, ...models], count }) => {
        for (let at = 0; at < count; at += row) {
          for (const model of models) {
            kernels.gramDeltaBF16(base + at * 2, model + at * 2, target, row);
            take();
          }
        }
      },
      partial: () => ({ sums: Float64Array.from(sums) }),
    };
  },
  combine: (operation, _pass, _found, partials, workspace) => {
    const models = modelsOf(operation);
    const rows = partials.flatMap((partial) => [partial['sums'] as Float64Array]);
    const take = (model: number, entry: number): Float64Array => {
      const width = 3 * models.length;
      const picked = rows.map((part) => part.filter((_sum, i) => i % width === 3 * model + entry));
      return Float64Array.from(picked.flatMap((part) => [...part]));
    };
    const sums = models.map((_i, model): ColumnSums => {
      return { base: take(model, 0), cross: take(model, 1), own: take(model, 2) };
    });
    return { coefficients: scoresOfVectors(sums, operation, workspace.kernels) };
  },
  apply: (operation, found, _range, workspace) => {
    const row = rowElements(operation);
    const rows = operation.elements / row;
    const coefficients = coefficientsOf(found);
    const models = modelsOf(operation);
    const ofRow = (index: number): Fill => {
      return applyWeightedDeltas(models.map((_i, model) => coefficients[model * rows + index] ?? 0), workspace); // prettier-ignore
    };
    // In order: what a kernel leaves past the end of a row lies where the next row is still to be written.
    const eachRow = (
      { first, count, inputs, output }: Block,
      bytes: number,
      take: (fill: Fill, own: Block) => void,
    ): void => {
      for (let at = 0; at < count; at += row) {
        const own = inputs.map((start) => start + at * bytes);
        take(ofRow((first + at) / row), { first: first + at, count: row, inputs: own, output: output + at * bytes });
      }
    };
    const fill = (block: Block): void => eachRow(block, workspace.arithmetic.elementBytes, (own, part) => own(part));
    if (ofRow(0).stored === undefined) return fill;
    const stored = (block: Block): void => eachRow(block, 2, (own, part) => own.stored?.(part));
    return Object.assign(fill, { stored });
  },
};

function coefficientsOf(found: readonly Statistic[]): Float64Array {
  return found[0]?.['coefficients'] as Float64Array;
}

/** WIDEN (arXiv:2408.03092): y = b + sum c_i (x_i - b), the c_i of each column, or of each token's row of an embedding. */
export function widen(operation: MergeOperation): Method {
  return operation.shape.length === 2 && operation.role === 'embed' ? ofRows : ofColumns;
}
