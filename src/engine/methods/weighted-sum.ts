import type { Block, Fill, Gatherer, Method, MergeOperation, Statistic, Workspace } from './method.js';

/** y = sum of c_i x_i, summed in input order. */
export function applyWeightedSum(coefficients: readonly number[], { arithmetic, kernels }: Workspace): Fill {
  const { scale, addScaled } = arithmetic;
  const fill = ({ inputs, output, count }: Block): void => {
    inputs.forEach((input, i) => {
      if (i === 0) scale(output, input, coefficients[0] ?? 0, count);
      else addScaled(output, input, coefficients[i] ?? 0, count);
    });
  };
  const [c, d, ...others] = coefficients;
  if (c === undefined || d === undefined || others.length > 0) return fill;
  const stored = ({ inputs: [x = 0, y = 0], output, count }: Block): void =>
    kernels.addPairBF16(output, x, y, c, d, count);
  return Object.assign(fill, { stored, isPointwise: true });
}

/** y = base + sum of c_i (x_i - base), the base first among the inputs. */
export function applyWeightedDeltas(coefficients: readonly number[], { arithmetic, kernels }: Workspace): Fill {
  const { subtract, scale, addScaledDelta, add } = arithmetic;
  const fill = ({ inputs, output, count }: Block): void => {
    const [base, ...models] = inputs;
    if (base === undefined) return;
    models.forEach((model, i) => {
      const coefficient = coefficients[i] ?? 0;
      if (i > 0) return addScaledDelta(output, model, base, coefficient, count);
      subtract(output, model, base, count);
      scale(output, output, coefficient, count);
    });
    add(output, base, count);
  };
  const [c, d, ...others] = coefficients;
  if (c === undefined || others.length > 0) return fill;
  const stored = ({ inputs: [base = 0, x = 0, y = 0], output, count }: Block): void => {
    if (d === undefined) kernels.addDeltaBF16(output, base, x, base, c, count);
    else kernels.addDeltaPairBF16(output, base, x, y, c, d, count);
  };
  return Object.assign(fill, { stored, isPointwise: true });
}

/** A method whose coefficients follow from its parameters alone: no statistics pass. */
export function directMethod(apply: (operation: MergeOperation, workspace: Workspace) => Fill): Method {
  return {
    passes: () => 0,
    gather: (): Gatherer => {
      throw new Error('this method gathers no statistics');
    },
    combine: (): Statistic => ({}),
    apply: (operation, _found, _range, workspace) => apply(operation, workspace),
  };
}
