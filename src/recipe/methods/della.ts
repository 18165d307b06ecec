import type { MethodDefinition } from './method.js';
import { taskVectorParameters } from './task-vector-parameters.js';

export const della: MethodDefinition = {
  name: 'della',
  title: 'DELLA',
  base: 'required',
  minModels: 0,
  parameters: {
    ...taskVectorParameters({ normalize: true, rescale: true }),
    epsilon: {
      scope: 'model',
      type: 'number',
      default: 0.15,
      min: 0,
      max: 1,
      doc: 'How far the probability of keeping an element spreads around density.',
    },
  },
  doc: 'Drops elements of each difference at random, small ones more often, rescales the rest, and averages those whose sign wins the vote.',
  paper: {
    title: 'DELLA-Merging: reducing interference through magnitude-based sampling',
    url: 'https://arxiv.org/abs/2406.11617',
  },
  executable: false,
};
