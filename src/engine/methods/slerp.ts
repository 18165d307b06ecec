import { gramOfInputs } from './gram-tensor.js';
import { numberSetting } from './method.js';
import { arcCoefficients } from './spherical.js';

/** Above this |cosine| the arc is so short that a straight line is more exact; antipodal tensors have no arc at all. */
const COLLINEAR_COSINE = 0.9995;
/** A tensor with a smaller norm has no direction and is not normalised. */
const NEGLIGIBLE_NORM = 1e-8;

/** Spherical interpolation (Shoemake 1985) from base to model. */
export const slerp = gramOfInputs((gram, operation, kernels) => {
  const t = numberSetting(operation.settings, 't');
  const [first = 1, second = 1] = gram.norms().map((norm) => (norm > NEGLIGIBLE_NORM ? norm : 1));
  const cosine = Math.min(1, Math.max(-1, gram.at(0, 1) / first / second));
  // Written so that a NaN cosine (a NaN in the inputs) takes the linear way and stays visible in the result.
  if (!(Math.abs(cosine) <= COLLINEAR_COSINE)) return [1 - t, t];
  return arcCoefficients(t, cosine, kernels);
});
