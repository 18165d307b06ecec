import { gramOfRows } from './gram-rows.js';
import { type Coefficients, gramOfTensor } from './gram-tensor.js';
import type { Method, MergeOperation } from './method.js';

/** A smaller denominator has no meaning: the result is the base. */
const NEGLIGIBLE_DENOMINATOR = 1e-6;

/** t = N c / (1 + (N - 1) c), c the mean cosine of two models' differences from the base. */
const coefficients: Coefficients = (gram) => {
  const models = gram.vectors;
  let cosines = 0;
  for (let i = 0; i < models; i++) for (let j = i + 1; j < models; j++) cosines += gram.cosine(i, j);
  const cosine = cosines / ((models * (models - 1)) / 2);
  const denominator = 1 + (models - 1) * cosine;
  const t = denominator < NEGLIGIBLE_DENOMINATOR ? 0 : (models * cosine) / denominator;
  return new Array<number>(models).fill(t / models);
};

const [ofTensor, ofRows] = [gramOfTensor(coefficients), gramOfRows(coefficients)];

/** y = t mean(x_i) + (1 - t) b (Jang et al. 2024), the angle measured once a tensor or, `filter_wise`, for every row. */
export function modelStock({ settings }: MergeOperation): Method {
  return settings['filter_wise'] === true ? ofRows : ofTensor;
}
