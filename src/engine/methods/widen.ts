import { applyColumns, columnCount, columnSums, wideRows } from './columns.js';
import { type Method, type MergeOperation, rowElements, type Statistic } from './method.js';
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
  gather: (operation, _pass, _found, workspace) => columnSums(operation, pairsOf(operation), workspace),
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
    return {
      block: ({ inputs, count }) => {
        for (let at = 0; at < count; at += row) {
          const [base = 0, ...deltas] = toRows(inputs.map((start) => start + at * arithmetic.elementBytes));
          for (const delta of deltas) {
            kernels.gramF64(base, delta, target, row);
            sums.push(...new Float64Array(memory.buffer, target, 3));
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
    return (block) => {
      // In order: what a kernel leaves past the end of a row lies where the next row is still to be written.
      for (let at = 0; at < block.count; at += row) {
        const offset = at * workspace.arithmetic.elementBytes;
        const first = block.first + at;
        const own = models.map((_i, model) => coefficients[model * rows + first / row] ?? 0);
        const inputs = block.inputs.map((start) => start + offset);
        applyWeightedDeltas(own, workspace)({ first, count: row, inputs, output: block.output + offset });
      }
    };
  },
};

function coefficientsOf(found: readonly Statistic[]): Float64Array {
  return found[0]?.['coefficients'] as Float64Array;
}

/** WIDEN (arXiv:2408.03092): y = b + sum c_i (x_i - b), the c_i of each column, or of each token's row of an embedding. */
export function widen(operation: MergeOperation): Method {
  return operation.shape.length === 2 && operation.role === 'embed' ? ofRows : ofColumns;
}
