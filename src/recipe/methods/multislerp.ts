import type { MethodDefinition } from './method.js';

export const multislerp: MethodDefinition = {
  name: 'multislerp',
  title: 'Multi-SLERP',
  base: 'optional',
  minModels: 1,
  parameters: {
    weight: { scope: 'model', type: 'number', required: true, doc: 'Weight of this model.' },
    normalize_weights: { scope: 'global', type: 'boolean', default: true, doc: 'Divide the weights by their sum.' },
    eps: { scope: 'global', type: 'number', default: 1e-8, min: 0, doc: 'Norms below this count as zero.' },
  },
  doc: 'y = (sum w_i |v_i|) m / |m| with m = sum w_i v_i / |v_i|: the weighted mean of any number of models on the sphere; with a base, v are their differences from it, and the base is added.',
  paper: { title: 'Multi-SLERP', url: 'https://goddard.blog/posts/multislerp-wow-what-a-cool-idea' },
  executable: true,
};
