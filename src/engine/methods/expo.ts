import { type Block, numberSetting } from './method.js';
import { directMethod } from './weighted-sum.js';

/** y = x + alpha (x - b): on from the model, in the direction that led to it from the base. */
export const expo = directMethod((operation, { arithmetic, kernels }) => {
  const alpha = numberSetting(operation.settings, 'alpha');
  const fill = ({ inputs: [base = 0, model = 0], output, count }: Block): void => {
    arithmetic.scale(output, model, 1, count);
    arithmetic.addScaledDelta(output, model, base, alpha, count);
  };
  const stored = ({ inputs: [base = 0, model = 0], output, count }: Block): void =>
    kernels.addDeltaBF16(output, model, model, base, alpha, count);
  return Object.assign(fill, { stored, isPointwise: true });
});
