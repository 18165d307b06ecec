import type { MethodDefinition } from './method.js';

export const arceeFusion: MethodDefinition = {
  name: 'arcee_fusion',
  title: 'Arcee Fusion',
  base: 'required',
  minModels: 1,
  maxModels: 1,
  parameters: {},
  doc: 'Takes from the other model the elements whose change matters most: |x - b| times the KL divergence of its row’s softmax, at least median + 1.5 (Q3 - Q1) of the tensor.',
  paper: { title: 'Arcee Fusion', url: 'https://www.arcee.ai' },
  executable: true,
};
