import { numberSetting } from './method.js';
import { directMethod } from './weighted-sum.js';

/** y = w x + (1 - w) b with w = t / |x - b|, within [0, 1]. */
export const nearswap = directMethod((operation, { arithmetic }) => {
  const t = numberSetting(operation.settings, 't');
  return ({ inputs, output, count }) => arithmetic.nearswap(output, inputs[1] ?? 0, inputs[0] ?? 0, t, count);
});
