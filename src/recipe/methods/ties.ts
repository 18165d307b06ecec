import type { MethodDefinition } from './method.js';
import { electionParameters, taskVectorParameters } from './task-vector-parameters.js';

export const ties: MethodDefinition = {
  name: 'ties',
  title: 'TIES',
  base: 'required',
  minModels: 0,
  parameters: { ...taskVectorParameters({ normalize: true, rescale: false }), ...electionParameters },
  doc: 'Keeps each difference’s largest elements, lets the models vote on every sign, and averages those that agree.',
  paper: { title: 'TIES-Merging: resolving interference when merging models', url: 'https://arxiv.org/abs/2306.01708' },
  executable: true,
};
