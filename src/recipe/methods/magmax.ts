import type { MethodDefinition } from './method.js';

export const magmax: MethodDefinition = {
  name: 'magmax',
  title: 'MagMax',
  base: 'required',
  minModels: 0,
  parameters: {
    lambda: { scope: 'global', type: 'number', default: 1, doc: 'Factor of the merged difference before it is added.' },
  },
  doc: 'Adds for each element the largest of the models’ differences from the base: y = b + lambda (x_i - b), with the i of largest |x_i - b|.',
  paper: {
    title: 'MagMax: leveraging model merging for seamless continual learning',
    url: 'https://arxiv.org/abs/2407.06322',
  },
  executable: true,
};
