import type { MethodDefinition } from './method.js';

export const nuslerp: MethodDefinition = {
  name: 'nuslerp',
  title: 'NuSLERP',
  base: 'optional',
  minModels: 2,
  maxModels: 2,
  parameters: {
    weight: { scope: 'model', type: 'number', required: true, doc: 'Weight of this model; only the ratio matters.' },
    nuslerp_flatten: { scope: 'global', type: 'boolean', default: true, doc: 'Treat a tensor as one vector.' },
    nuslerp_row_wise: {
      scope: 'global',
      type: 'boolean',
      default: false,
      doc: 'Without flattening: vectors run along the first axis, not the last.',
    },
  },
  doc: 'y = [sin((1-t) a) v0 + sin(t a) v1] / sin a with t = w1 / (w0 + w1) and a the angle between the two models; with a base, v are their differences from it, and the base is added.',
  paper: { title: 'Animating rotation with quaternion curves', url: 'https://doi.org/10.1145/325165.325242' },
  executable: true,
};
