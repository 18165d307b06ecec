import type { MethodDefinition } from './method.js';
import { outlierParameters, taskVectorParameters } from './task-vector-parameters.js';

export const breadcrumbs: MethodDefinition = {
  name: 'breadcrumbs',
  title: 'Model breadcrumbs',
  base: 'required',
  minModels: 0,
  parameters: { ...taskVectorParameters({ normalize: false, rescale: false }), ...outlierParameters },
  doc: 'Removes the largest and the smallest elements of each difference and adds the rest.',
  paper: {
    title: 'Model breadcrumbs: scaling multi-task model merging with sparse masks',
    url: 'https://arxiv.org/abs/2312.06795',
  },
  executable: true,
};
