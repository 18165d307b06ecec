import { gramOfColumns } from './gram-columns.js';
import { gramOfRows } from './gram-rows.js';
import { type Coefficients, gramOfTensor } from './gram-tensor.js';
import { type Method, type MergeOperation, numberSetting } from './method.js';
import { arcCoefficients } from './spherical.js';

/** Weights whose sum is smaller have no ratio: half way. */
const NEGLIGIBLE_TOTAL = 1e-6;
/** Smaller norms count as this one: a vector of zeros stays zero. */
const SMALLEST_NORM = 1e-7;
/** Where the sine is at most this, both ways round are as good as a straight line. */
const COLLINEAR_SINE = 1e-8;

const coefficients: Coefficients = (gram, operation, kernels) => {
  const t = interpolation(operation);
  const [first = 1, second = 1] = gram.norms().map((norm) => Math.max(norm, SMALLEST_NORM));
  const cosine = Math.min(1, Math.max(-1, gram.at(0, 1) / first / second));
  if (1 - cosine * cosine <= COLLINEAR_SINE * COLLINEAR_SINE) return [1 - t, t];
  return arcCoefficients(t, cosine, kernels);
};

/** t = w_1 / (w_0 + w_1) */
function interpolation(operation: MergeOperation): number {
  const settings = operation.inputSettings.slice(Number(operation.hasBase));
  const [first = 0, second = 0] = settings.map((own) => numberSetting(own, 'weight'));
  const total = first + second;
  return Math.abs(total) < NEGLIGIBLE_TOTAL ? 0.5 : second / total;
}

const [ofTensor, ofRows, ofColumns] = [gramOfTensor, gramOfRows, gramOfColumns].map((way) => way(coefficients)) as [
  Method,
  Method,
  Method,
];

/** y = [sin((1-t) a) v_0 + sin(t a) v_1] / sin a, a the angle between whole tensors, rows or columns. */
export function nuslerp({ settings, shape }: MergeOperation): Method {
  if (settings['nuslerp_flatten'] !== false || shape.length < 2) return ofTensor;
  return settings['nuslerp_row_wise'] === true ? ofColumns : ofRows;
}
