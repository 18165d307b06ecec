import type { Kernels } from '../kernels/kernels.js';
import { type Method, type Statistic, numberSetting } from './method.js';
import { applyWeightedSum } from './weighted-sum.js';

/** Above this |cosine| the arc is so short that a straight line is more exact; antipodal tensors have no arc at all. */
const COLLINEAR_COSINE = 0.9995;
/** A tensor with a smaller norm has no direction and is not normalised. */
const NEGLIGIBLE_NORM = 1e-8;
/** Entries of the Gram matrix of two inputs: <x0,x0>, <x0,x1>, <x1,x1>. */
const GRAM_ENTRIES = 3;

/** Coefficients of spherical interpolation (Shoemake 1985) from the Gram matrix of base and model. */
export function slerpCoefficients(
  gram: readonly number[],
  t: number,
  kernels: Pick<Kernels, 'acos' | 'sin'>,
): number[] {
  const [g00 = 0, g01 = 0, g11 = 0] = gram;
  const divisor = (squared: number): number => {
    const norm = Math.sqrt(squared);
    return norm > NEGLIGIBLE_NORM ? norm : 1;
  };
  const cosine = Math.min(1, Math.max(-1, g01 / divisor(g00) / divisor(g11)));
  // Written so that a NaN cosine (a NaN in the inputs) takes the linear way and stays visible in the result.
  if (!(Math.abs(cosine) <= COLLINEAR_COSINE)) return [1 - t, t];
  const angle = kernels.acos(cosine);
  const sine = kernels.sin(angle);
  return [kernels.sin((1 - t) * angle) / sine, kernels.sin(t * angle) / sine];
}

export const slerp: Method = {
  passes: () => 1,
  gather: (_operation, _pass, _found, workspace) => {
    const target = workspace.allocate(GRAM_ENTRIES * 8);
    const entries: number[] = [];
    return {
      block: ({ inputs, count }) => {
        const [base = 0, model = 0] = inputs;
        workspace.arithmetic.gram(base, model, target, count);
        entries.push(...new Float64Array(workspace.memory.buffer, target, GRAM_ENTRIES));
      },
      partial: () => ({ gram: Float64Array.from(entries) }),
    };
  },
  combine: (operation, _pass, _found, partials, workspace) => {
    const gram = sumEntries(partials, GRAM_ENTRIES);
    return { gram, coefficients: slerpCoefficients(gram, numberSetting(operation.settings, 't'), workspace.kernels) };
  },
  apply: (_operation, found, _range, workspace) =>
    applyWeightedSum((found[0]?.['coefficients'] as number[] | undefined) ?? [], workspace),
};

/** Adds up the blocks' entries in block order, whatever the ranges were. */
export function sumEntries(partials: readonly Statistic[], width: number): number[] {
  const totals = new Array<number>(width).fill(0);
  for (const partial of partials) {
    const entries = partial['gram'] as Float64Array;
    entries.forEach((entry, i) => {
      totals[i % width] = (totals[i % width] ?? 0) + entry;
    });
  }
  return totals;
}
