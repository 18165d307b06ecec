import type { MethodDefinition } from './method.js';

export const expo: MethodDefinition = {
  name: 'expo',
  title: 'ExPO',
  base: 'required',
  minModels: 1,
  maxModels: 1,
  parameters: {
    alpha: {
      scope: 'global',
      type: 'number',
      required: true,
      doc: 'How far beyond the model to go, as a multiple of its difference from the base; the paper tries 0.1 to 0.5.',
    },
  },
  doc: 'y = x + alpha (x - b): extrapolates from a weaker checkpoint, the base, beyond the stronger one that was trained from it.',
  paper: {
    title: 'Model extrapolation expedites alignment',
    url: 'https://arxiv.org/abs/2404.16792',
  },
  executable: true,
};
