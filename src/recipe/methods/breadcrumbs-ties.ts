import type { MethodDefinition } from './method.js';
import { electionParameters, outlierParameters, taskVectorParameters } from './task-vector-parameters.js';

export const breadcrumbsTies: MethodDefinition = {
  name: 'breadcrumbs_ties',
  title: 'Model breadcrumbs (TIES)',
  base: 'required',
  minModels: 0,
  parameters: {
    ...taskVectorParameters({ normalize: false, rescale: false }),
    ...outlierParameters,
    ...electionParameters,
  },
  doc: 'Removes the largest and the smallest elements of each difference and adds those whose sign wins the vote.',
  paper: {
    title: 'Model breadcrumbs: scaling multi-task model merging with sparse masks',
    url: 'https://arxiv.org/abs/2312.06795',
  },
  executable: true,
};
