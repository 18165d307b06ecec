import type { MethodDefinition } from './method.js';

export const dam: MethodDefinition = {
  name: 'dam',
  title: 'DAM',
  base: 'ignored',
  minModels: 1,
  parameters: {},
  takesCoefficients: true,
  doc: 'Weighs every column of every model by a coefficient of its own, from the file that `coefficients` names: y[o, k] = Σ cᵢ[k] xᵢ[o, k]; of vectors, y[k] = Σ cᵢ[k] xᵢ[k].',
  paper: {
    title: 'Merging in a bottle: differentiable adaptive merging (DAM) and the path from averaging to automation',
    url: 'https://arxiv.org/abs/2410.08371',
  },
  executable: true,
};
