import type { MethodDefinition } from './method.js';
import { taskVectorParameters } from './task-vector-parameters.js';

export const dareLinear: MethodDefinition = {
  name: 'dare_linear',
  title: 'DARE (linear)',
  base: 'required',
  minModels: 0,
  parameters: taskVectorParameters({ normalize: false, rescale: true }),
  doc: 'Drops elements of each difference at random, rescales the rest, and adds them.',
  paper: { title: 'Language models are Super Mario', url: 'https://arxiv.org/abs/2311.03099' },
  executable: true,
};
