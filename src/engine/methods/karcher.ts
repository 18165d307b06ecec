import type { Kernels } from '../kernels/kernels.js';
import type { Gram } from './gram.js';
import { gramOfTensor } from './gram-tensor.js';
import { numberSetting } from './method.js';

/** From the point opposite there is no shortest way; within this sine of it f64 cannot tell the direction. */
const ANTIPODAL_SINE = 1e-7;

/** y = (mean of ||x_i||) m, m the Riemannian centre of mass of the directions x_i / ||x_i||, all of equal weight. */
export const karcher = gramOfTensor((gram, operation, kernels) => {
  const norms = gram.norms();
  const tolerance = numberSetting(operation.settings, 'tol');
  const mean = centreOfMass(gram, numberSetting(operation.settings, 'max_iter'), tolerance, kernels);
  const radius = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
  return mean.map((coefficient) => radius * coefficient);
});

/** The centre as coefficients of the vectors. Every iterate lies in their span, so the vectors themselves are not needed. */
function centreOfMass(gram: Gram, iterations: number, tolerance: number, kernels: Kernels): number[] {
  const norms = gram.norms();
  // A tensor of zeros has no direction; its norm counts, its place does not.
  const directions = norms.map((norm) => (norm === 0 ? 0 : 1 / norm));
  const share = 1 / norms.length;
  let mean = startOf(gram, directions, tolerance);
  for (let step = 0; step < iterations; step++) {
    const tangent = mean.map(() => 0);
    directions.forEach((direction, i) => {
      if (direction === 0) return;
      const cosine = Math.min(1, Math.max(-1, direction * gram.project(i, mean)));
      const angle = kernels.acos(cosine);
      const sine = kernels.sin(angle);
      if (angle < tolerance || (cosine < 0 && sine < ANTIPODAL_SINE)) return;
      const pull = (share * angle) / sine;
      mean.forEach((coefficient, j) => (tangent[j] = (tangent[j] ?? 0) - pull * cosine * coefficient));
      tangent[i] = (tangent[i] ?? 0) + pull * direction;
    });
    const length = gram.normOf(tangent);
    if (length < tolerance || length === 0) break;
    const [near, far] = [kernels.cos(length), kernels.sin(length) / length];
    mean = toUnit(
      gram,
      mean.map((coefficient, j) => near * coefficient + far * (tangent[j] ?? 0)),
    );
  }
  return mean;
}

/** The plain mean of the directions; where they cancel out, the first of them. */
function startOf(gram: Gram, directions: readonly number[], tolerance: number): number[] {
  const share = 1 / directions.length;
  const mean = directions.map((direction) => share * direction);
  if (!(gram.normOf(mean) < tolerance)) return toUnit(gram, mean);
  const first = directions.findIndex((direction) => direction !== 0);
  return directions.map((direction, i) => (i === first ? direction : 0));
}

function toUnit(gram: Gram, coefficients: readonly number[]): number[] {
  const length = gram.normOf(coefficients);
  return length === 0 ? [...coefficients] : coefficients.map((coefficient) => coefficient / length);
}
