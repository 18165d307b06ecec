import { gramOfTensor } from './gram-tensor.js';
import { type MergeOperation, numberSetting } from './method.js';

/** Weights of the models, divided by their sum unless `normalize_weights` is false. */
export function multislerpWeights(operation: MergeOperation): number[] {
  const settings = operation.inputSettings.slice(Number(operation.hasBase));
  const weights = settings.map((own) => numberSetting(own, 'weight'));
  if (operation.settings['normalize_weights'] === false) return weights;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * y = (sum w_i ||v_i||) m / ||m|| with m = sum w_i v_i / (||v_i|| + eps). The mean of the directions' tangents at m / ||m||,
 * which the method's author adds, is m - <m, m / ||m||> m / ||m|| = 0 for any weights, so nothing is left of that step.
 */
export const multislerp = gramOfTensor((gram, operation) => {
  const weights = multislerpWeights(operation);
  // A lone model is the result, whatever its weight.
  if (weights.length === 1) return [1];
  const eps = numberSetting(operation.settings, 'eps');
  const norms = gram.norms();
  const mean = weights.map((weight, i) => (norms[i] === 0 ? 0 : weight / ((norms[i] ?? 0) + eps)));
  const length = gram.normOf(mean);
  // Directions that cancel out have no mean, and vectors of zeros have no direction: a straight line.
  if (length <= eps) return weights;
  const radius = weights.reduce((sum, weight, i) => sum + weight * (norms[i] ?? 0), 0);
  return mean.map((coefficient) => (radius * coefficient) / length);
});
