import { drawsOf } from './philox.js';
import { emptyMask, type Mask, wholeMask } from './reference-sparse.js';
import type { ReferenceCall } from './references.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, max, min, trunc } = Math;

/** The task vectors' magnitudes. */
function sizesOf({ base, models }: ReferenceCall): Float64Array[] {
  return models.map((model) => model.map((x, i) => abs(x - (base[i] ?? 0))));
}

/** Keeps the elements from rank `from` (0 is the largest) up to, not including, `to`; lower indices first. */
function keepRanks(sizes: Float64Array, from: number, to: number, probability: number): Mask {
  const mask = { ...emptyMask(sizes.length), probability: () => probability };
  const order = Array.from(sizes.keys()).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  for (const i of order.slice(from, to)) mask.kept[i] = 1;
  // Differences that f32 cannot tell apart are equal to who computes in it. Zeros are zero, kept or not.
  const limits = [from, to].filter((rank) => rank > 0 && rank < sizes.length);
  for (const limit of limits.map((rank) => sizes[order[rank - 1] ?? 0] ?? 0)) {
    sizes.forEach((size, i) => {
      if (size > 0 && abs(size - limit) <= limit * 2 ** -22) mask.open[i] = 1;
    });
  }
  return mask;
}

/** TIES: the largest max(1, int(density n)). */
export function magnitudes(call: ReferenceCall): Mask[] {
  const densities = call.ofModels('density', 1);
  return sizesOf(call).map((sizes, k) => {
    const density = densities[k] ?? 1;
    if (density >= 1) return wholeMask(sizes.length);
    return density <= 0 ? emptyMask(sizes.length) : keepRanks(sizes, 0, max(1, trunc(density * sizes.length)), density);
  });
}

/** Breadcrumbs: int(density n) elements below the int(gamma n) largest, or as many of those as must go. */
export function breadcrumbs(call: ReferenceCall): Mask[] {
  const densities = call.ofModels('density', 1);
  const gammas = call.ofModels('gamma', 0.01);
  return sizesOf(call).map((sizes, k) => {
    const [density = 1, gamma = 0] = [densities[k], gammas[k]];
    if (density >= 1) return wholeMask(sizes.length);
    const kept = trunc(density * sizes.length);
    const removed = min(trunc(gamma * sizes.length), sizes.length - kept);
    return keepRanks(sizes, removed, removed + kept, density);
  });
}

/** DARE: each with probability density. */
export function dare(call: ReferenceCall): Mask[] {
  return call.ofModels('density', 1).map((density, k) => {
    const elements = call.base.length;
    if (density >= 1) return wholeMask(elements);
    const draws = drawsOf(call.seed, call.tensor, k, elements);
    const kept = Uint8Array.from(draws, (draw) => (draw < density ? 1 : 0));
    return { kept, open: new Uint8Array(elements), probability: () => density };
  });
}
