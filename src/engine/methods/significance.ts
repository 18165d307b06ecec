import type { Kernels } from '../kernels/kernels.js';
import { type MergeOperation, numberSetting } from './method.js';

/** Of every column: <b, b>, <b, d> and <d, d>, with d the model's difference from the base b. */
export interface ColumnSums {
  base: Float64Array;
  cross: Float64Array;
  own: Float64Array;
}

/**
 * WIDEN's coefficients of matrices: the mean of the scores of two ranks, of how much a column's length changed beside the
 * model's other columns, and of how much its direction did. One array of columns for each model.
 */
export function scoresOfVectors(
  models: readonly ColumnSums[],
  operation: MergeOperation,
  kernels: Kernels,
): Float64Array {
  const changes = models.map(changesOf);
  const [lengths, directions] = (['length', 'direction'] as const).map((kind) => {
    const ranks = changes.map((change) => ranksOf(change[kind]));
    // The mean rank is known without a sum. Divided last, so that a rank of just the limit is not above it.
    const limits = ranks.map(({ length: n }) => (ratioOf(operation) * ((n - 1) / 2)) / n);
    const shares = ranks.map((rank) => rank.map((place) => place / rank.length));
    return scores(shares, limits, operation, kernels);
  });
  return (lengths ?? new Float64Array(0)).map((score, i) => (score + (directions?.[i] ?? 0)) / 2);
}

/** Of vectors: the score of |d| itself, element by element. */
export function scoresOfElements(
  models: readonly ColumnSums[],
  operation: MergeOperation,
  kernels: Kernels,
): Float64Array {
  const sizes = models.map(({ own }) => own.map(Math.sqrt));
  const limits = sizes.map((size) => (ratioOf(operation) * size.reduce((sum, value) => sum + value, 0)) / size.length);
  return scores(sizes, limits, operation, kernels);
}

/** | ||x|| - ||b|| | and 1 - cos(x, b), without the difference of two large numbers that nearly agree. */
function changesOf({ base, cross, own }: ColumnSums): { length: Float64Array; direction: Float64Array } {
  const length = new Float64Array(own.length);
  const direction = new Float64Array(own.length);
  own.forEach((dd, column) => {
    const [bb = 0, bd = 0] = [base[column], cross[column]];
    const before = Math.sqrt(bb);
    const after = Math.sqrt(Math.max(0, bb + 2 * bd + dd));
    const sum = before + after;
    const change = sum === 0 ? 0 : Math.abs(2 * bd + dd) / sum;
    length[column] = change;
    // A column of zeros has no direction; one that was left alone has kept its own.
    if (before === 0 || after === 0) direction[column] = dd === 0 ? 0 : 1;
    else direction[column] = Math.max(0, dd - change * change) / (2 * before * after);
  });
  return { length, direction };
}

/** The place of each value among all, from 0; of equal ones the first is the smaller, and NaN is the largest. */
function ranksOf(values: Float64Array): Float64Array {
  const sizes = values.map((value) => (Number.isNaN(value) ? Infinity : value));
  const order = Uint32Array.from(sizes, (_size, i) => i).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || a - b);
  const ranks = new Float64Array(values.length);
  order.forEach((column, rank) => (ranks[column] = rank));
  return ranks;
}

function ratioOf({ settings }: MergeOperation): number {
  return numberSetting(settings, 'above_average_value_ratio');
}

/** S: calibrated where a model's significance is above its limit, elsewhere the softmax over the models. */
function scores(
  significance: readonly Float64Array[],
  limits: readonly number[],
  { settings }: MergeOperation,
  kernels: Kernels,
): Float64Array {
  const calibrated = numberSetting(settings, 'score_calibration_value');
  const columns = significance[0]?.length ?? 0;
  const found = new Float64Array(significance.length * columns);
  for (let column = 0; column < columns; column++) {
    const values = significance.map((own) => own[column] ?? 0);
    const largest = Math.max(...values);
    const powers = values.map((value) => kernels.exp(value - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    values.forEach((value, model) => {
      const isSignificant = value > (limits[model] ?? 0);
      found[model * columns + column] = isSignificant ? calibrated : (powers[model] ?? 0) / sum;
    });
  }
  return found;
}
