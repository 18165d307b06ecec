import { drawsOf } from './philox.js';
import { emptyMask, type Mask, wholeMask } from './reference-sparse.js';
import type { ReferenceCall } from './reference-call.js';

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

/** DELLA: from density - epsilon for a row's smallest to density + epsilon for its largest, by rank. */
export function della(call: ReferenceCall): Mask[] {
  const epsilons = call.ofModels('epsilon', 0.15);
  const densities = call.ofModels('density', 1);
  const row = call.shape.at(-1) ?? 1;
  return sizesOf(call).map((sizes, k) => {
    const density = densities[k] ?? 1;
    if (density >= 1) return wholeMask(sizes.length);
    const epsilon = min(epsilons[k] ?? 0, density, 1 - density);
    const draws = drawsOf(call.seed, call.tensor, k, sizes.length);
    const odds = new Float64Array(sizes.length);
    const open = new Uint8Array(sizes.length);
    for (let start = 0; start < sizes.length; start += row) {
      const own = Array.from({ length: row }, (_unused, i) => start + i);
      own.sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || b - a);
      own.forEach((i, rank) => {
        odds[i] = row === 1 ? density : density - epsilon + (2 * epsilon * rank) / (row - 1);
        // Differences that f32 cannot tell apart may change places.
        const size = sizes[i] ?? 0;
        const isClose = [own[rank - 1], own[rank + 1]].some((neighbour = i) => {
          const gap = abs((sizes[neighbour] ?? 0) - size);
          return gap > 0 && gap <= size * 2 ** -22;
        });
        if (isClose && abs((odds[i] ?? 0) - (draws[i] ?? 0)) < (8 * epsilon) / row) open[i] = 1;
      });
    }
    const kept = draws.map((draw, i) => (draw < (odds[i] ?? 0) ? 1 : 0));
    return { kept: Uint8Array.from(kept), open, probability: (i) => odds[i] ?? 1 };
  });
}
