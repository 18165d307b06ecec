import type { MethodDefinition } from './method.js';

export const ram: MethodDefinition = {
  name: 'ram',
  title: 'RAM',
  base: 'required',
  minModels: 0,
  parameters: {
    epsilon: { scope: 'global', type: 'number', default: 1e-5, min: 0, doc: 'Changes up to this size count as none.' },
  },
  doc: 'Adds changes that one model made in full and averages those that several made: y = b + Σ dᵢ / c over the c models with |dᵢ| > epsilon.',
  paper: { title: 'Reinforced Agent Merging', url: 'https://arxiv.org/abs/2601.13572' },
  executable: true,
};
