import type { MethodDefinition } from './method.js';

export const passthrough: MethodDefinition = {
  name: 'passthrough',
  title: 'Passthrough',
  base: 'ignored',
  minModels: 1,
  maxModels: 1,
  parameters: {
    scale: { scope: 'model', type: 'number', doc: 'Factor of every element; without it the bytes are copied.' },
  },
  doc: 'Takes the tensors of one model as they are: stacks of layers from several models are made of such slices.',
  executable: true,
};
