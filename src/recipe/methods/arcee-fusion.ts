import type { MethodDefinition } from './method.js';

export const arceeFusion: MethodDefinition = {
  name: 'arcee_fusion',
  title: 'Arcee Fusion',
  base: 'required',
  minModels: 1,
  maxModels: 1,
  parameters: {},
  doc: 'Takes from the other model the elements whose change matters most, by a threshold found from the data.',
  paper: { title: 'Arcee Fusion', url: 'https://www.arcee.ai' },
  executable: false,
};
