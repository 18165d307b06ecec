import { type Block, numberSetting } from './method.js';
import { directMethod } from './weighted-sum.js';

/** y = w x + (1 - w) b with w = t / |x - b|, within [0, 1]. */
export const nearswap = directMethod((operation, { arithmetic, kernels }) => {
  const t = numberSetting(operation.settings, 't');
  const fill = ({ inputs: [base = 0, model = 0], output, count }: Block): void =>
    arithmetic.nearswap(output, model, base, t, count);
  const stored = ({ inputs: [base = 0, model = 0], output, count }: Block): void =>
    kernels.nearswapBF16(output, model, base, t, count);
  return Object.assign(fill, { stored, isPointwise: true });
});
