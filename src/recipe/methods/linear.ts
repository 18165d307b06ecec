import type { MethodDefinition } from './method.js';

export const linear: MethodDefinition = {
  name: 'linear',
  title: 'Linear',
  base: 'ignored',
  minModels: 1,
  parameters: {
    weight: { scope: 'model', type: 'number', required: true, doc: 'Share of this model in the average.' },
    normalize: { scope: 'global', type: 'boolean', default: true, doc: 'Divide by the sum of the weights.' },
  },
  doc: 'Weighted average of the models (model soups).',
  paper: {
    title: 'Model soups: averaging weights of multiple fine-tuned models',
    url: 'https://arxiv.org/abs/2203.05482',
  },
  executable: true,
};
