import { numberSetting } from './method.js';
import { directMethod } from './weighted-sum.js';

/** y = x + alpha (x - b): on from the model, in the direction that led to it from the base. */
export const expo = directMethod((operation, { arithmetic }) => {
  const alpha = numberSetting(operation.settings, 'alpha');
  return ({ inputs, output, count }) => {
    const [base = 0, model = 0] = inputs;
    arithmetic.scale(output, model, 1, count);
    arithmetic.addScaledDelta(output, model, base, alpha, count);
  };
});
