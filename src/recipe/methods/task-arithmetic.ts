import type { MethodDefinition } from './method.js';
import { taskVectorParameters } from './task-vector-parameters.js';

export const taskArithmetic: MethodDefinition = {
  name: 'task_arithmetic',
  title: 'Task arithmetic',
  base: 'required',
  minModels: 0,
  parameters: taskVectorParameters({ normalize: false, rescale: false }),
  doc: 'Adds the weighted differences of the models from the base to the base.',
  paper: { title: 'Editing models with task arithmetic', url: 'https://arxiv.org/abs/2212.04089' },
  executable: true,
};
