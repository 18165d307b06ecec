import type { Block, Gatherer, Method, MergeOperation, Statistic, Workspace } from './method.js';

/** y = sum of c_i x_i, summed in input order. */
export function applyWeightedSum(coefficients: readonly number[], workspace: Workspace): (block: Block) => void {
  const { scale, addScaled } = workspace.arithmetic;
  return ({ inputs, output, count }) => {
    inputs.forEach((input, i) => {
      if (i === 0) scale(output, input, coefficients[0] ?? 0, count);
      else addScaled(output, input, coefficients[i] ?? 0, count);
    });
  };
}

/** y = base + sum of c_i (x_i - base), the base first among the inputs. */
export function applyWeightedDeltas(coefficients: readonly number[], workspace: Workspace): (block: Block) => void {
  const { subtract, scale, addScaledDelta, add } = workspace.arithmetic;
  return ({ inputs, output, count }) => {
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
}

/** A method whose coefficients follow from its parameters alone: no statistics pass. */
export function directMethod(
  apply: (operation: MergeOperation, workspace: Workspace) => (block: Block) => void,
): Method {
  return {
    passes: () => 0,
    gather: (): Gatherer => {
      throw new Error('this method gathers no statistics');
    },
    combine: (): Statistic => ({}),
    apply: (operation, _found, _range, workspace) => apply(operation, workspace),
  };
}
