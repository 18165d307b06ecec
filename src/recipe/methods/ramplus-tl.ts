import type { MethodDefinition } from './method.js';

export const ramplusTl: MethodDefinition = {
  name: 'ramplus_tl',
  title: 'RAM+ (tensor-local)',
  base: 'required',
  minModels: 0,
  parameters: {
    r: {
      scope: 'global',
      type: 'number',
      default: 0.1,
      doc: 'How strongly the share of common changes enlarges unique ones.',
    },
    alpha: {
      scope: 'global',
      type: 'number',
      default: 0.2,
      min: 0,
      doc: 'Largest ratio of shared to unique changes that counts.',
    },
    epsilon: { scope: 'global', type: 'number', default: 1e-5, min: 0, doc: 'Changes up to this size count as none.' },
  },
  doc: 'Like RAM, and multiplies the changes that one model made alone by 1 + r min(alpha, shared / unique), counted over the tensor.',
  paper: { title: 'Reinforced Agent Merging', url: 'https://arxiv.org/abs/2601.13572' },
  executable: true,
};
