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
  doc: 'Spherical interpolation between two models, weighted like an average; with a base, between their differences from it.',
  executable: false,
};
