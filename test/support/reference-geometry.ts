import { addDelta, addProduct, dot, emptyTensor, type ExactTensor, sum } from './reference-methods.js';
import type { ReferenceCall } from './reference-call.js';

const { abs, acos, cos, max, min, sin, sqrt } = Math;

type Vectors = readonly Float64Array[];
/** Which elements are one vector: all, those of a row (the last dimension), or those of a column of a matrix. */
export type Cut = 'tensor' | 'row' | 'column';
type Call = Pick<ReferenceCall, 'inputs' | 'base' | 'models' | 'shape'>;

/** Cuts the inputs, or their differences from the base, into vectors, and adds them up under each vector's coefficients. */
function byVectors(call: Call, cut: Cut, coefficientsOf: (vectors: Vectors) => number[]): ExactTensor {
  const { base, shape } = call;
  const hasBase = base.length > 0;
  const inputs = hasBase ? call.models : call.inputs;
  const result = emptyTensor(inputs[0]?.length ?? 0);
  for (const indices of cutInto(cut, result.value.length, shape)) {
    const vectors = inputs.map((input) => Float64Array.from(indices, (i) => (input[i] ?? 0) - (base[i] ?? 0)));
    const coefficients = coefficientsOf(vectors);
    for (const i of indices) {
      if (hasBase) addProduct(result, i, base[i] ?? 0);
      inputs.forEach((input, k) => {
        if (hasBase) addDelta(result, i, coefficients[k] ?? 0, input[i] ?? 0, base[i] ?? 0);
        else addProduct(result, i, (coefficients[k] ?? 0) * (input[i] ?? 0));
      });
    }
  }
  return result;
}

export function cutInto(cut: Cut, elements: number, shape: readonly number[]): number[][] {
  const last = shape.at(-1) ?? 1;
  const rows = shape.length < 2 ? elements / last : (shape.at(-2) ?? 1);
  const keyOf = {
    tensor: () => 0,
    row: (i: number) => Math.floor(i / last),
    column: (i: number) => Math.floor(i / (last * rows)) * last + (i % last),
  }[shape.length < 2 ? 'tensor' : cut];
  const groups: number[][] = [];
  for (let i = 0; i < elements; i++) (groups[keyOf(i)] ??= []).push(i);
  return groups;
}

export function nuslerpCut({ global }: Pick<ReferenceCall, 'global'>): Cut {
  if (global('nuslerp_flatten', 1) !== 0) return 'tensor';
  return global('nuslerp_row_wise', 0) !== 0 ? 'column' : 'row';
}

export function nuslerp(call: ReferenceCall): ExactTensor {
  const cut = nuslerpCut(call);
  const weights = call.base.length > 0 ? call.ofModels('weight') : call.ofInputs('weight');
  const total = sum(weights);
  const t = abs(total) < 1e-6 ? 0.5 : (weights[1] ?? 0) / total;
  return byVectors(call, cut, (vectors) => {
    const [u, v] = vectors.map((vector) => scaled(vector, 1 / max(norm(vector), 1e-7)));
    const cosine = u === undefined || v === undefined ? 1 : max(-1, min(1, dot(u, v)));
    if (1 - cosine ** 2 <= 1e-16) return [1 - t, t];
    const angle = acos(cosine);
    return [sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle)];
  });
}

/** The author's way, with the step along the mean tangent. */
export function multislerp(call: ReferenceCall): ExactTensor {
  const given = call.base.length > 0 ? call.ofModels('weight') : call.ofInputs('weight');
  const total = call.global('normalize_weights', 1) !== 0 ? sum(given) : 1;
  const weights = given.map((weight) => weight / total);
  return byVectors(call, 'tensor', (vectors) => {
    const norms = vectors.map(norm);
    const directions = vectors.map((vector, k) => scaled(vector, 1 / ((norms[k] ?? 0) + 1e-8)));
    const mean = combined(directions, weights);
    if (norm(mean) <= 1e-8) return weights;
    const pole = scaled(mean, 1 / norm(mean));
    const tangents = directions.map((u) => combined([u, pole], [1, -dot(u, pole)]));
    const step = combined(tangents, weights);
    const length = norm(step) + 1e-8;
    const point = pole.map((x, i) => x * cos(length) + ((step[i] ?? 0) * sin(length)) / length);
    const radius = sum(weights.map((weight, k) => weight * (norms[k] ?? 0)));
    // The point lies in the directions' span; the products are what the formula's last line makes of each.
    const scale = (radius * dot(point, pole)) / norm(mean);
    return weights.map((weight, k) => (norms[k] === 0 ? 0 : (scale * weight) / ((norms[k] ?? 0) + 1e-8)));
  });
}

export function karcher(call: ReferenceCall): ExactTensor {
  const tolerance = call.global('tol', 1e-5);
  return byVectors({ ...call, base: new Float64Array(0) }, 'tensor', (vectors) => {
    const share = 1 / vectors.length;
    const norms = vectors.map(norm);
    const directions = vectors.map((vector, k) => scaled(vector, norms[k] ? 1 / norms[k] : 0));
    // Beside each point on the sphere, how it is made from the directions.
    const shares = directions.map(() => share);
    let made = shares.map((c) => c / norm(combined(directions, shares)));
    let mean = combined(directions, made);
    for (let step = 0; step < call.global('max_iter', 10); step++) {
      const pulls = directions.map((u, k) => {
        const angle = acos(max(-1, min(1, dot(u, mean))));
        return norms[k] === 0 || angle < tolerance ? 0 : (share * angle) / sin(angle);
      });
      const back = sum(pulls.map((pull, k) => pull * dot(directions[k] ?? mean, mean)));
      const tangentMade = pulls.map((pull, k) => pull - back * (made[k] ?? 0));
      const length = norm(combined(directions, tangentMade));
      if (length < tolerance) break;
      const next = made.map((c, k) => cos(length) * c + (sin(length) / length) * (tangentMade[k] ?? 0));
      const size = norm(combined(directions, next));
      made = next.map((c) => c / size);
      mean = combined(directions, made);
    }
    return made.map((c, k) => (norms[k] ? (sum(norms) * share * c) / norms[k] : 0));
  });
}

export function modelStock(call: ReferenceCall): ExactTensor {
  const cut = call.global('filter_wise', 0) !== 0 ? 'row' : 'tensor';
  return byVectors(call, cut, (vectors) => {
    const cosine = meanCosine(vectors);
    const denominator = 1 + (vectors.length - 1) * cosine;
    return vectors.map(() => (denominator < 1e-6 ? 0 : cosine / denominator));
  });
}

/** Of every pair; a vector of zeros is at right angles to all. */
export function meanCosine(vectors: Vectors): number {
  const cosines = vectors.flatMap((v, i) =>
    vectors.slice(i + 1).map((w) => (norm(v) && norm(w) ? dot(v, w) / norm(v) / norm(w) : 0)),
  );
  return sum(cosines) / cosines.length;
}

export function nearswap({ base, models, global }: ReferenceCall): ExactTensor {
  const result = emptyTensor(base.length);
  base.forEach((b, i) => {
    const x = models[0]?.[i] ?? 0;
    const share = max(0, min(1, global('t') / max(abs(x - b), 1e-6)));
    addProduct(result, i, share * x);
    addProduct(result, i, (1 - share) * b);
  });
  return result;
}

export function expo({ base, models, global }: ReferenceCall): ExactTensor {
  const result = emptyTensor(base.length);
  base.forEach((b, i) => {
    const x = models[0]?.[i] ?? 0;
    addProduct(result, i, x);
    addDelta(result, i, global('alpha'), x, b);
  });
  return result;
}

function combined(vectors: Vectors, coefficients: readonly number[]): Float64Array {
  const result = new Float64Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, k) => vector.forEach((x, i) => (result[i] = (result[i] ?? 0) + (coefficients[k] ?? 0) * x)));
  return result;
}

function norm(vector: Float64Array): number {
  return sqrt(dot(vector, vector));
}

function scaled(vector: Float64Array, factor: number): Float64Array {
  return vector.map((x) => x * factor);
}
