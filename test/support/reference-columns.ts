import { tensorRole } from '../../src/recipe/index.js';
import { addDelta, addProduct, dot, emptyTensor, exactSum, type ExactTensor } from './reference-methods.js';
import type { ReferenceCall } from './reference-call.js';

const { abs, exp, max, sqrt } = Math;

/** y[o, k] = sum c_i[k] x_i[o, k] */
export function dam({ inputs, shape, coefficients }: ReferenceCall): ExactTensor {
  const result = emptyTensor(inputs[0]?.length ?? 0);
  const row = shape.at(-1) ?? 1;
  coefficients().forEach((own, k) => {
    inputs[k]?.forEach((x, i) => addProduct(result, i, (own[(i % row) % own.length] ?? 0) * x));
  });
  return result;
}

/** The authors' way: columns of matrices, of an embedding its tokens' rows, and of a vector element by element. */
export function widen({ base, models, shape, tensor, global }: ReferenceCall): ExactTensor {
  const result = emptyTensor(base.length);
  const [last = 1, isVector] = [shape.at(-1), shape.length < 2];
  const isEmbedding = !isVector && tensorRole(tensor) === 'embed';
  const keyOf = (i: number): number => (isVector || !isEmbedding ? i % last : Math.floor(i / last));
  const members: number[][] = [];
  base.forEach((_b, i) => (members[keyOf(i)] ??= []).push(i));
  const ratio = global('above_average_value_ratio', 1);
  const calibrated = global('score_calibration_value', 1);
  const isOpen = members.map(() => false);
  const measure = (of: (b: Float64Array, x: Float64Array) => number): number[][] =>
    models.map((model) =>
      members.map((indices) => {
        const pick = (values: Float64Array): Float64Array => Float64Array.from(indices, (i) => values[i] ?? 0);
        return of(pick(base), pick(model));
      }),
    );
  const scoresOf = (significance: number[][], noise: number): number[][] => {
    const limits = significance.map((own) => (ratio * exactSum(Float64Array.from(own))) / own.length);
    return significance.map((own, k) =>
      own.map((value, column) => {
        const all = significance.map((other) => other[column] ?? 0);
        const limit = limits[k] ?? 0;
        // Elements of a vector whose difference is the average itself hang on rounding.
        if (noise > 0 && abs(value - limit) <= noise * limit) isOpen[column] = true;
        if (value > limit) return calibrated;
        const powers = all.map((other) => exp(other - max(...all)));
        return (powers[k] ?? 0) / powers.reduce((sum, power) => sum + power, 0);
      }),
    );
  };
  const ranked = (changes: number[][]): number[][] =>
    changes.map((own) => {
      const order = own.map((_change, column) => column).sort((a, b) => (own[a] ?? 0) - (own[b] ?? 0) || a - b);
      const ranks = own.map(() => 0);
      order.forEach((column, rank) => {
        ranks[column] = rank / own.length;
        const next = order[rank + 1];
        if (next === undefined) return;
        const [size = 0, above = 0] = [own[column], own[next]];
        // Nearly equal changes may trade places; columns that nobody touched are equal to all.
        if (above > 0 && above - size <= 1e-9 * above + 1e-15) isOpen[column] = isOpen[next] = true;
      });
      return ranks;
    });
  let coefficients: number[][];
  if (isVector)
    coefficients = scoresOf(
      measure((b, x) => abs((x[0] ?? 0) - (b[0] ?? 0))),
      1e-12,
    );
  else {
    const lengths = scoresOf(ranked(measure((b, x) => abs(sqrt(dot(x, x)) - sqrt(dot(b, b))))), 0);
    const turns = scoresOf(ranked(measure(turn)), 0);
    coefficients = lengths.map((own, k) => own.map((score, column) => (score + (turns[k]?.[column] ?? 0)) / 2));
  }
  base.forEach((b, i) => {
    addProduct(result, i, b);
    const column = keyOf(i);
    if (isOpen[column]) result.open[i] = 1;
    models.forEach((model, k) => addDelta(result, i, coefficients[k]?.[column] ?? 0, model[i] ?? 0, b));
  });
  return result;
}

/** 1 - cos, as half the squared distance of the directions. */
function turn(b: Float64Array, x: Float64Array): number {
  if (b.every((value, i) => value === x[i])) return 0;
  const [before, after] = [sqrt(dot(b, b)), sqrt(dot(x, x))];
  if (before === 0 || after === 0) return 1;
  const apart = b.map((value, i) => value / before - (x[i] ?? 0) / after);
  return dot(apart, apart) / 2;
}
