// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, acos, max, min, sign: signOf, sin, sqrt, trunc } = Math;

/** The exact result of a method for one tensor, element by element, and what an implementation is judged by. */
export interface ExactTensor {
  /** e: the result in f64. */
  value: Float64Array;
  /** sum |p_i| over the products of the formula. */
  magnitude: Float64Array;
  /** N: how many products there are. */
  terms: Uint8Array;
  /** 1 where the method itself leaves the result open: at a threshold's magnitude, or where a vote hangs on rounding. */
  open: Uint8Array;
  /** 1 where votes cancel out exactly: decided (zero is positive), but not for a program that rounds the votes. */
  cancelled: Uint8Array;
}

export function emptyTensor(elements: number): ExactTensor {
  return {
    value: new Float64Array(elements),
    magnitude: new Float64Array(elements),
    terms: new Uint8Array(elements),
    open: new Uint8Array(elements),
    cancelled: new Uint8Array(elements),
  };
}

export function addProduct(result: ExactTensor, i: number, product: number): void {
  result.value[i] = (result.value[i] ?? 0) + product;
  result.magnitude[i] = (result.magnitude[i] ?? 0) + abs(product);
  result.terms[i] = (result.terms[i] ?? 0) + 1;
}

/** y = sum c_i x_i */
export function weightedSum(inputs: readonly Float64Array[], coefficients: readonly number[]): ExactTensor {
  const result = emptyTensor(inputs[0]?.length ?? 0);
  inputs.forEach((input, k) => {
    input.forEach((value, i) => {
      addProduct(result, i, (coefficients[k] ?? 0) * value);
    });
  });
  return result;
}

export function linear(inputs: readonly Float64Array[], weights: readonly number[], normalize: boolean): ExactTensor {
  const total = normalize ? sum(weights) : 1;
  return weightedSum(
    inputs,
    weights.map((weight) => weight / total),
  );
}

export function slerp(base: Float64Array, model: Float64Array, t: number): ExactTensor {
  const norms = [base, model].map((vector) => sqrt(dot(vector, vector)));
  const [first = 0, second = 0] = norms.map((norm) => (norm > 1e-8 ? norm : 1));
  const cosine = max(-1, min(1, dot(base, model) / first / second));
  if (abs(cosine) > 0.9995) return weightedSum([base, model], [1 - t, t]);
  const angle = acos(cosine);
  const coefficients = [sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle)];
  return weightedSum([base, model], coefficients);
}

export interface TaskVectors {
  base: Float64Array;
  models: readonly Float64Array[];
  weights: readonly number[];
  normalize: boolean;
  lambda: number;
}

export function taskArithmetic({ base, models, weights, normalize, lambda }: TaskVectors): ExactTensor {
  const total = sum(weights);
  const factor = normalize && abs(total) >= 1e-8 ? lambda / total : lambda;
  const result = emptyTensor(base.length);
  base.forEach((b, i) => {
    addProduct(result, i, b);
    models.forEach((model, k) => {
      addDelta(result, i, factor * (weights[k] ?? 0), model[i] ?? 0, b);
    });
  });
  return result;
}

/** c (x - b): two products, but their difference is taken before the multiplication, as the exact value needs it. */
export function addDelta(result: ExactTensor, i: number, coefficient: number, x: number, b: number): void {
  result.value[i] = (result.value[i] ?? 0) + coefficient * (x - b);
  result.magnitude[i] = (result.magnitude[i] ?? 0) + abs(coefficient * x) + abs(coefficient * b);
  result.terms[i] = (result.terms[i] ?? 0) + 2;
}

export function ties(vectors: TaskVectors & { densities: readonly number[] }): ExactTensor {
  const { base, models, weights, normalize, lambda, densities } = vectors;
  const result = emptyTensor(base.length);
  const trimmed = models.map((model, k) => {
    const deltas = model.map((x, i) => x - (base[i] ?? 0));
    return trim(deltas, densities[k] ?? 1, result.open);
  });
  base.forEach((b, i) => {
    addProduct(result, i, b);
    const votes = trimmed.map((deltas, k) => (deltas[i] ?? 0) * (weights[k] ?? 0));
    const kept = elect(votes, i, result);
    let divisor = 0;
    for (const k of kept) divisor += weights[k] ?? 0;
    for (const k of kept) {
      const coefficient = (lambda * (weights[k] ?? 0)) / (normalize && divisor !== 0 ? divisor : 1);
      addDelta(result, i, coefficient, models[k]?.[i] ?? 0, b);
    }
  });
  return result;
}

/** The models whose votes have the sign of their sum; zero counts as positive, and a vote of zero as none. */
export function elect(votes: readonly number[], i: number, { open, cancelled }: ExactTensor): number[] {
  const total = sum(votes);
  const size = votes.reduce((magnitude, vote) => magnitude + abs(vote), 0);
  if (total !== 0 && abs(total) <= size * 2 ** -21) open[i] = 1;
  if (total === 0 && size > 0) cancelled[i] = 1;
  const sign = total >= 0 ? 1 : -1;
  const kept: number[] = [];
  votes.forEach((vote, k) => {
    if (signOf(vote) === sign) kept.push(k);
  });
  return kept;
}

/** The k largest magnitudes, the lower index first among equal ones. Elements of the threshold's magnitude are open. */
function trim(deltas: Float64Array, density: number, open: Uint8Array): Float64Array {
  if (density >= 1) return deltas;
  if (density <= 0) return new Float64Array(deltas.length);
  const kept = max(1, trunc(density * deltas.length));
  const ascending = deltas.map(abs).sort();
  const threshold = ascending[deltas.length - kept] ?? 0;
  let left = kept - ascending.filter((size) => size > threshold).length;
  return deltas.map((delta, i) => {
    const size = abs(delta);
    // Differences that f32 cannot tell apart are equal to who computes in it. Zeros are zero, kept or not.
    if (abs(size - threshold) <= threshold * 2 ** -22 && delta !== 0) open[i] = 1;
    if (size > threshold) return delta;
    return size === threshold && left-- > 0 ? delta : 0;
  });
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function dot(a: Float64Array, b: Float64Array): number {
  return exactSum(a.map((x, i) => x * (b[i] ?? 0)));
}

/** With Neumaier's compensation, so that the reference does not depend on the order it adds in. */
export function exactSum(terms: Float64Array): number {
  let total = 0;
  let lost = 0;
  for (const term of terms) {
    const next = total + term;
    lost += abs(total) >= abs(term) ? total - next + term : term - next + total;
    total = next;
  }
  return total + lost;
}
