import type { MethodDefinition } from './method.js';

export const modelStock: MethodDefinition = {
  name: 'model_stock',
  title: 'Model Stock',
  base: 'required',
  minModels: 2,
  parameters: {
    filter_wise: { scope: 'global', type: 'boolean', default: false, doc: 'Decide row by row, not once a tensor.' },
  },
  doc: 'y = t mean(x_i) + (1 - t) b with t = N c / (1 + (N - 1) c), c the mean cosine of two models’ differences from the base.',
  paper: { title: 'Model Stock: all we need is just a few fine-tuned models', url: 'https://arxiv.org/abs/2403.19522' },
  executable: true,
};
