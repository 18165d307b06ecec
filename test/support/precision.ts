import type { ExpectedTensor } from './reference-merge.js';
import { type StoredTensor, valuesOf } from './safetensors.js';
import { roundTo, ulp } from './tensors.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, max } = Math;
const { isNaN } = Number;

/** What a merged tensor is worth beside the exact result. */
export interface Precision {
  /** Largest |y - e| over its bound, 1 ulp(e) + N 2^-23 sum|p_i| (2^-52 where the method computes in f64). */
  worst: number;
  /** Elements with |e| >= 2^-12 sum|p_i|: how many there are, and how many are not e rounded once. */
  judged: number;
  wrong: number;
  /** Elements where the method itself leaves the result open. */
  open: number;
}

export function precisionOf(tensor: StoredTensor, expected: ExpectedTensor): Precision {
  const values = valuesOf(tensor);
  const { dtype, cast, value, magnitude, terms, open } = expected;
  const unit = cast === 'F64' ? 2 ** -52 : 2 ** -23;
  const result: Precision = { worst: 0, judged: 0, wrong: 0, open: 0 };
  values.forEach((y, i) => {
    const [e = 0, size = 0] = [value[i], magnitude[i]];
    if (open[i] === 1) {
      result.open += 1;
      return;
    }
    const bound = ulp(dtype, e) + (terms[i] ?? 0) * unit * size;
    const share = y === e ? 0 : abs(y - e) / bound;
    result.worst = max(result.worst, isNaN(share) ? Infinity : share);
    if (abs(e) < size * 2 ** -12 || size === 0) return;
    result.judged += 1;
    if (!isRoundedOnce(y, e, size, dtype)) result.wrong += 1;
  });
  return result;
}

/** Either side of a midpoint is right, and the reference itself has errors of f64. */
function isRoundedOnce(y: number, e: number, size: number, dtype: ExpectedTensor['dtype']): boolean {
  const slack = size * 2 ** -48;
  return y === roundTo(dtype, e) || y === roundTo(dtype, e - slack) || y === roundTo(dtype, e + slack);
}
