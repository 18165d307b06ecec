import type { MethodDefinition } from './method.js';

export const nearswap: MethodDefinition = {
  name: 'nearswap',
  title: 'NearSwap',
  base: 'required',
  minModels: 1,
  maxModels: 1,
  parameters: {
    t: {
      scope: 'global',
      type: 'number',
      required: true,
      doc: 'Distance at which an element is taken from the other model entirely.',
    },
  },
  doc: 'y = w x + (1 - w) b with w = t / |x - b|, at most 1: moves the base towards the other model where the two are already close.',
  paper: { title: 'NearSwap', url: 'https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001' },
  executable: true,
};
