import { addDelta, addProduct, dot, emptyTensor, type ExactTensor, sum } from './reference-methods.js';
import type { ReferenceCall } from './references.js';

const { acos, abs, max, min, sin, sqrt } = Math;

type Vectors = readonly Float64Array[];
/** Which elements are one vector: all, those of a row (the last dimension), or those of a column of a matrix. */
type Cut = 'tensor' | 'row' | 'column';
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

function cutInto(cut: Cut, elements: number, shape: readonly number[]): number[][] {
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

export function nuslerp(call: ReferenceCall): ExactTensor {
  const columns = call.global('nuslerp_row_wise', 0) !== 0;
  const cut = call.global('nuslerp_flatten', 1) !== 0 ? 'tensor' : columns ? 'column' : 'row';
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

function norm(vector: Float64Array): number {
  return sqrt(dot(vector, vector));
}

function scaled(vector: Float64Array, factor: number): Float64Array {
  return vector.map((x) => x * factor);
}
