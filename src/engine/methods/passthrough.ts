import { applyWeightedSum, directMethod } from './weighted-sum.js';

/** y = scale x. Without a scale the planner makes a byte copy and this is never called, unless the dtype changes. */
export const passthrough = directMethod((operation, workspace) => {
  const scale = operation.inputSettings[0]?.['scale'];
  return applyWeightedSum([typeof scale === 'number' ? scale : 1], workspace);
});
