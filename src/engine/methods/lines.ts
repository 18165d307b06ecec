import { numberSetting } from './method.js';
import { sumDivisor } from './task-vectors/sum.js';
import { taskWeights } from './task-vectors/task-vectors.js';
import { applyWeightedDeltas, directMethod } from './weighted-sum.js';

/**
 * LiNeS (arXiv:2410.17146): y = b + (alpha + beta t) sum w_i (x_i - b), with t = l / (L - 1) of the result's layers and 0
 * outside them; divided by sum w_i when `normalize` is set.
 */
export const lines = directMethod((operation, workspace) => {
  const { settings, depth = 0 } = operation;
  const factor = numberSetting(settings, 'alpha') + numberSetting(settings, 'beta') * depth;
  return applyWeightedDeltas(
    taskWeights(operation).map((weight) => (factor * weight) / sumDivisor(operation)),
    workspace,
  );
});
