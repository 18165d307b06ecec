import { type Block, numberSetting } from './method.js';
import { directMethod } from './weighted-sum.js';

/**
 * MagMax (arXiv:2407.06322): y = b + lambda d, where d is for each element the x_i - b of largest magnitude; of equal ones
 * that of the model listed first.
 */
export const magmax = directMethod((operation, workspace) => {
  const { subtract, keepLarger, scale, add } = workspace.arithmetic;
  const lambda = numberSetting(operation.settings, 'lambda');
  const fill = ({ inputs, output, count }: Block): void => {
    const [base = 0, first = 0, ...others] = inputs;
    subtract(output, first, base, count);
    for (const other of others) keepLarger(output, other, base, count);
    scale(output, output, lambda, count);
    add(output, base, count);
  };
  const stored = ({ inputs: [base = 0, x = 0, y = 0], output, count }: Block): void =>
    workspace.kernels.addLargerPairBF16(output, base, x, y, lambda, count);
  return Object.assign(fill, operation.inputs.length === 3 && { stored, isPointwise: true });
});
