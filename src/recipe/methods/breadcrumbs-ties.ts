import type { MethodDefinition } from './method.js';
import { taskVectorParameters } from './task-vector-parameters.js';

export const breadcrumbsTies: MethodDefinition = {
  name: 'breadcrumbs_ties',
  title: 'Model breadcrumbs (TIES)',
  base: 'required',
  minModels: 0,
  parameters: {
    ...taskVectorParameters({ normalize: false, rescale: false }),
    gamma: {
      scope: 'model',
      type: 'number',
      default: 0.01,
      min: 0,
      max: 1,
      doc: 'Share of the largest elements that is removed.',
    },
  },
  doc: 'Removes the largest and the smallest elements of each difference and adds those whose sign wins the vote.',
  paper: {
    title: 'Model breadcrumbs: scaling multi-task model merging with sparse masks',
    url: 'https://arxiv.org/abs/2312.06795',
  },
  executable: false,
};
