import type { MethodDefinition } from './method.js';
import { rankParameters, taskVectorParameters } from './task-vector-parameters.js';

export const dellaLinear: MethodDefinition = {
  name: 'della_linear',
  title: 'DELLA (linear)',
  base: 'required',
  minModels: 0,
  parameters: { ...taskVectorParameters({ normalize: false, rescale: true }), ...rankParameters },
  doc: 'Drops elements of each difference at random, small ones more often, rescales the rest, and adds them.',
  paper: {
    title: 'DELLA-Merging: reducing interference through magnitude-based sampling',
    url: 'https://arxiv.org/abs/2406.11617',
  },
  executable: true,
};
