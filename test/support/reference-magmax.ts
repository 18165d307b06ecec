import { addDelta, addProduct, emptyTensor, type ExactTensor } from './reference-methods.js';
import type { ReferenceCall } from './reference-call.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, max } = Math;

/** b + lambda (x_i - b), with the i of the largest |x_i - b|; the first of equal ones. */
export function magmax({ base, models, global }: ReferenceCall): ExactTensor {
  const result = emptyTensor(base.length);
  const lambda = global('lambda', 1);
  base.forEach((b, i) => {
    addProduct(result, i, b);
    const deltas = models.map((model) => (model[i] ?? 0) - b);
    const sizes = deltas.map(abs);
    const largest = max(...sizes);
    const at = sizes.indexOf(largest);
    // Differences that f32 cannot tell apart are equal to who computes in it.
    const isClose = (size: number, k: number): boolean =>
      size !== largest && largest - size <= largest * 2 ** -22 && deltas[k] !== deltas[at];
    if (sizes.some(isClose)) result.open[i] = 1;
    addDelta(result, i, lambda, models[at]?.[i] ?? b, b);
  });
  return result;
}
