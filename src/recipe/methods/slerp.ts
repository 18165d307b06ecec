import type { MethodDefinition } from './method.js';

export const slerp: MethodDefinition = {
  name: 'slerp',
  title: 'SLERP',
  base: 'required',
  minModels: 1,
  maxModels: 1,
  parameters: {
    t: {
      scope: 'global',
      type: 'number',
      required: true,
      doc: '0 is the base, 1 the other model; values outside extrapolate.',
    },
  },
  doc: 'Spherical interpolation between the base and one other model.',
  paper: { title: 'Animating rotation with quaternion curves', url: 'https://doi.org/10.1145/325165.325242' },
  executable: true,
};
