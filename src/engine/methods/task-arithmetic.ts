import { sumFactor } from './task-vectors/sum.js';
import { taskWeights } from './task-vectors/task-vectors.js';
import { applyWeightedDeltas, directMethod } from './weighted-sum.js';

/** y = b + lambda sum w_i (x_i - b), divided by sum w_i when `normalize` is set (arXiv:2212.04089). */
export const taskArithmetic = directMethod((operation, workspace) => {
  const factor = sumFactor(operation);
  return applyWeightedDeltas(
    taskWeights(operation).map((weight) => factor * weight),
    workspace,
  );
});
