import { emptyTensor, type ExactTensor } from './reference-methods.js';

const { abs, exp, log, max, trunc } = Math;

/** Takes the model's elements whose change, weighed by the divergence of its row, is far above the median. */
export function arceeFusion(base: Float64Array, model: Float64Array, row: number): ExactTensor {
  const result = emptyTensor(base.length);
  const scores = new Float64Array(base.length);
  for (let at = 0; at < base.length; at += row) {
    const [p, q] = [model, base].map((values) => softmax(values.subarray(at, at + row)));
    const divergence = max(0, compensated((p ?? []).map((share, i) => share * log(share / (q?.[i] ?? 0)))));
    for (let i = at; i < at + row; i++) scores[i] = abs((model[i] ?? 0) - (base[i] ?? 0)) * divergence;
  }
  const sorted = scores.slice().sort();
  const quantile = (share: number): number => sorted[trunc(share * (sorted.length - 1))] ?? 0;
  const limit = quantile(0.5) + 1.5 * (quantile(0.75) - quantile(0.25));
  base.forEach((b, i) => {
    const [x = 0, score = 0] = [model[i], scores[i]];
    // Logarithms and f32 leave scores uncertain by this much.
    if (x !== b && limit > 0 && abs(score - limit) <= limit * 1e-6) result.open[i] = 1;
    const isChosen = score >= limit;
    result.value[i] = isChosen ? x : b;
    result.magnitude[i] = isChosen ? abs(x) + 2 * abs(b) : abs(b);
    result.terms[i] = isChosen ? 3 : 1;
  });
  return result;
}

function softmax(values: Float64Array): number[] {
  const largest = max(...values);
  const powers = Array.from(values, (value) => exp(value - largest));
  const total = compensated(powers);
  return powers.map((power) => power / total + 1e-8);
}

/** Nearly all of a divergence cancels: the terms are added with Neumaier's compensation. */
function compensated(terms: readonly number[]): number {
  let [total, lost] = [0, 0];
  for (const term of terms) {
    const next = total + term;
    lost += abs(total) >= abs(term) ? total - next + term : term - next + total;
    total = next;
  }
  return total + lost;
}
