import type { MethodDefinition } from './method.js';
import { electionParameters, taskVectorParameters } from './task-vector-parameters.js';

export const dareTies: MethodDefinition = {
  name: 'dare_ties',
  title: 'DARE (TIES)',
  base: 'required',
  minModels: 0,
  parameters: { ...taskVectorParameters({ normalize: false, rescale: true }), ...electionParameters },
  doc: 'Drops elements of each difference at random, rescales the rest, and adds those whose sign wins the vote.',
  paper: { title: 'Language models are Super Mario', url: 'https://arxiv.org/abs/2311.03099' },
  executable: true,
};
