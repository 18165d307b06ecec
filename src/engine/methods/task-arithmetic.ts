import { type MergeOperation, numberSetting } from './method.js';
import { applyWeightedDeltas, directMethod } from './weighted-sum.js';

/** Below this a sum of weights counts as zero and does not divide (MergeKit's threshold). */
const NEGLIGIBLE_TOTAL = 1e-8;

/** Weights of the task vectors; the base, first among the inputs, has none. */
export function taskWeights(operation: MergeOperation): number[] {
  return operation.inputSettings.slice(1).map((settings) => numberSetting(settings, 'weight'));
}

/** y = b + lambda sum w_i (x_i - b), divided by sum w_i when `normalize` is set. */
export const taskArithmetic = directMethod((operation, workspace) => {
  const weights = taskWeights(operation);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const divides = operation.settings['normalize'] === true && Math.abs(total) >= NEGLIGIBLE_TOTAL;
  const factor = numberSetting(operation.settings, 'lambda') / (divides ? total : 1);
  return applyWeightedDeltas(
    weights.map((weight) => factor * weight),
    workspace,
  );
});
