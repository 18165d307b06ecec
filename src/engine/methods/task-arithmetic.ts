import { sumFactor } from './task-vectors/sum.js';
import { taskWeights } from './task-vectors/task-vectors.js';
import { directMethod } from './weighted-sum.js';

/** y = b + lambda sum w_i (x_i - b), divided by sum w_i when `normalize` is set. */
export const taskArithmetic = directMethod((operation, workspace) => {
  const { subtract, scale, addScaledDelta, add } = workspace.arithmetic;
  const weights = taskWeights(operation);
  const factor = sumFactor(operation);
  return ({ inputs, output, count }) => {
    const [base, ...models] = inputs;
    if (base === undefined) return;
    models.forEach((model, i) => {
      const coefficient = factor * (weights[i] ?? 0);
      if (i > 0) return addScaledDelta(output, model, base, coefficient, count);
      subtract(output, model, base, count);
      scale(output, output, coefficient, count);
    });
    add(output, base, count);
  };
});
