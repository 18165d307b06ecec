import type { MethodDefinition } from './method.js';

export const lines: MethodDefinition = {
  name: 'lines',
  title: 'LiNeS',
  base: 'required',
  minModels: 1,
  parameters: {
    alpha: {
      scope: 'global',
      type: 'number',
      required: true,
      doc: 'Factor of the difference in the first layer, and outside the layers.',
    },
    beta: {
      scope: 'global',
      type: 'number',
      required: true,
      doc: 'What the factor grows by from the first layer to the last.',
    },
    weight: { scope: 'model', type: 'number', default: 1, doc: 'Factor of this model’s difference from the base.' },
    normalize: {
      scope: 'global',
      type: 'boolean',
      default: false,
      doc: 'Divide the summed differences by the sum of the weights.',
    },
  },
  takesDepth: true,
  doc: 'Task arithmetic whose factor grows in a line with depth: y = b + (α + β l / (L - 1)) Σ wᵢ (xᵢ - b) in layer l of the L of the result, counted from 0; α outside the layers.',
  paper: {
    title: 'LiNeS: post-training layer scaling prevents forgetting and enhances model merging',
    url: 'https://arxiv.org/abs/2410.17146',
  },
  executable: true,
};
