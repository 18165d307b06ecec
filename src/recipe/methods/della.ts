import type { MethodDefinition } from './method.js';
import { electionParameters, rankParameters, taskVectorParameters } from './task-vector-parameters.js';

export const della: MethodDefinition = {
  name: 'della',
  title: 'DELLA',
  base: 'required',
  minModels: 0,
  parameters: { ...taskVectorParameters({ normalize: true, rescale: true }), ...rankParameters, ...electionParameters },
  doc: 'Drops elements of each difference at random, small ones more often, rescales the rest, and averages those whose sign wins the vote.',
  paper: {
    title: 'DELLA-Merging: reducing interference through magnitude-based sampling',
    url: 'https://arxiv.org/abs/2406.11617',
  },
  executable: true,
};
