import {
  addDelta,
  addProduct,
  elect,
  emptyTensor,
  exactSum,
  type ExactTensor,
  type TaskVectors,
} from './reference-methods.js';
import type { ReferenceCall } from './reference-call.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs } = Math;

/** What a mask leaves of one model's task vector. */
export interface Mask {
  /** 1 where an element is kept. */
  kept: Uint8Array;
  /** 1 where the method itself leaves that open. */
  open: Uint8Array;
  /** The probability with which each element is kept, or the share that is. */
  probability(i: number): number;
}

/** 1: kept whole. */
export function wholeMask(elements: number): Mask {
  return { kept: new Uint8Array(elements).fill(1), open: new Uint8Array(elements), probability: () => 1 };
}

export function emptyMask(elements: number): Mask {
  return { ...wholeMask(elements), kept: new Uint8Array(elements) };
}

/** What each kept element is multiplied with under `rescale`. */
type Scale = (i: number) => number;

function scalesOf(
  call: ReferenceCall,
  { models, base }: TaskVectors,
  masks: readonly Mask[],
  fallback: boolean,
): Scale[] {
  const rescale = call.written('rescale') ?? fallback;
  return masks.map(({ kept, probability }, k) => {
    if (rescale === 'inverse_density') return (i) => 1 / probability(i);
    if (rescale !== true && rescale !== 'l1') return () => 1;
    const sizes = base.map((b, i) => abs((models[k]?.[i] ?? 0) - b));
    const [total, rest] = [exactSum(sizes), exactSum(sizes.map((size, i) => (kept[i] === 1 ? size : 0)))];
    const scale = total < 1e-7 || rest < 1e-7 ? 1 : total / rest;
    return () => scale;
  });
}

/** y = b + lambda sum w_i s_i m_i (x_i - b), divided by sum w_i */
export function added(call: ReferenceCall, vectors: TaskVectors, masks: readonly Mask[], rescale = false): ExactTensor {
  const { base, models, weights, normalize, lambda } = vectors;
  const scales = scalesOf(call, vectors, masks, rescale);
  const result = openWhere(base.length, masks);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const divisor = normalize && abs(total) >= 1e-8 ? total : 1;
  base.forEach((b, i) => {
    addProduct(result, i, b);
    masks.forEach(({ kept }, k) => {
      if (kept[i] !== 1) return;
      const coefficient = (lambda * (weights[k] ?? 0) * (scales[k]?.(i) ?? 1)) / divisor;
      addDelta(result, i, coefficient, models[k]?.[i] ?? 0, b);
    });
  });
  return result;
}

/** The same of those models only whose vote has the sign of all votes together; divided by their weights. */
export function elected(
  call: ReferenceCall,
  vectors: TaskVectors,
  masks: readonly Mask[],
  rescale = false,
): ExactTensor {
  const { base, models, weights, normalize, lambda } = vectors;
  const scales = scalesOf(call, vectors, masks, rescale);
  const result = openWhere(base.length, masks);
  const weighted = call.written('weighted_election') !== false;
  base.forEach((b, i) => {
    addProduct(result, i, b);
    const votes = masks.map(({ kept }, k) => {
      const weight = weights[k] ?? 0;
      const vote = kept[i] === 1 && weight !== 0 ? ((models[k]?.[i] ?? 0) - b) * (scales[k]?.(i) ?? 1) : 0;
      return weighted ? vote * weight : vote;
    });
    const agreeing = elect(votes, i, result);
    const divisor = agreeing.reduce((total, k) => total + (weights[k] ?? 0), 0);
    for (const k of agreeing) {
      const coefficient =
        (lambda * (weights[k] ?? 0) * (scales[k]?.(i) ?? 1)) / (normalize && abs(divisor) > 1e-12 ? divisor : 1);
      addDelta(result, i, coefficient, models[k]?.[i] ?? 0, b);
    }
  });
  return result;
}

function openWhere(elements: number, masks: readonly Mask[]): ExactTensor {
  const result = emptyTensor(elements);
  for (const { open } of masks) {
    open.forEach((is, i) => {
      if (is === 1) result.open[i] = 1;
    });
  }
  return result;
}
