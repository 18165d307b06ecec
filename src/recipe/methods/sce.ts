import type { MethodDefinition } from './method.js';

export const sce: MethodDefinition = {
  name: 'sce',
  title: 'SCE',
  base: 'required',
  minModels: 0,
  parameters: {
    select_topk: {
      scope: 'global',
      type: 'number',
      default: 1,
      min: 0,
      max: 1,
      doc: 'Share of the elements that is selected, of those in which the models differ.',
    },
    int8_mask: {
      scope: 'global',
      type: 'boolean',
      default: false,
      doc: 'Accepted for MergeKit’s sake; it has no effect on the result.',
    },
  },
  doc: 'Selects the elements with the highest variance across models, weighs models by their energy qᵢ = mean(dᵢ²) / Σ, and erases minority signs: y = b + Σ′ qᵢ dᵢ / Σ′ qᵢ. Mean squares below 1e-6 in sum weigh all models the same.',
  paper: { title: 'FuseChat: knowledge fusion of chat models', url: 'https://arxiv.org/abs/2408.07990' },
  executable: true,
};
