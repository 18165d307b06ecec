import { mergeChanges } from './active-changes.js';
import { directMethod } from './weighted-sum.js';

/** RAM (arXiv:2601.13572): y = b + sum d_i / c over the c models that changed the element, |d_i| > epsilon. */
export const ram = directMethod((operation, workspace) =>
  mergeChanges(
    operation,
    operation.inputs.slice(1).map(() => 1),
    workspace,
  ),
);
