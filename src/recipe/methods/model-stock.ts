import type { MethodDefinition } from './method.js';

export const modelStock: MethodDefinition = {
  name: 'model_stock',
  title: 'Model Stock',
  base: 'required',
  minModels: 2,
  parameters: {
    filter_wise: { scope: 'global', type: 'boolean', default: false, doc: 'Decide row by row, not once a tensor.' },
  },
  doc: 'Averages the models and moves towards the base by an amount that the angle between them decides.',
  paper: { title: 'Model Stock: all we need is just a few fine-tuned models', url: 'https://arxiv.org/abs/2403.19522' },
  executable: false,
};
