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
