import type { MethodDefinition } from './method.js';

export const karcher: MethodDefinition = {
  name: 'karcher',
  title: 'Karcher mean',
  base: 'ignored',
  minModels: 1,
  parameters: {
    max_iter: { scope: 'global', type: 'integer', default: 10, min: 0, doc: 'Most iterations.' },
    tol: {
      scope: 'global',
      type: 'number',
      default: 1e-5,
      min: 0,
      doc: 'The iteration stops when its step is shorter.',
    },
  },
  doc: 'y = (mean of |x_i|) m with m the Riemannian centre of mass of the directions x_i / |x_i|, found by iteration; all models count equally.',
  paper: { title: 'Karcher mean merging', url: 'https://arxiv.org/abs/2603.04972' },
  executable: true,
};
