import { type MergeOperation, numberSetting } from './method.js';
import { applyWeightedSum, directMethod } from './weighted-sum.js';

/** y = sum w_i x_i, divided by sum w_i unless `normalize` is false. */
export function linearCoefficients(operation: MergeOperation): number[] {
  const weights = operation.inputSettings.map((settings) => numberSetting(settings, 'weight'));
  if (operation.settings['normalize'] === false) return weights;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

export const linear = directMethod((operation, workspace) =>
  applyWeightedSum(linearCoefficients(operation), workspace),
);
