import type { MethodParameter } from './method.js';

/** What the task-arithmetic family shares; `normalize` and `rescale` differ in their defaults only. */
export function taskVectorParameters(defaults: {
  normalize: boolean;
  rescale: boolean;
}): Readonly<Record<string, MethodParameter>> {
  return {
    weight: { scope: 'model', type: 'number', required: true, doc: 'Factor of this model’s difference from the base.' },
    density: {
      scope: 'model',
      type: 'number',
      default: 1,
      min: 0,
      max: 1,
      doc: 'Share of the difference’s elements that is kept.',
    },
    normalize: {
      scope: 'global',
      type: 'boolean',
      default: defaults.normalize,
      doc: 'Divide the summed differences by the sum of the weights that took part.',
    },
    rescale: {
      scope: 'global',
      type: 'boolean',
      default: defaults.rescale,
      doc: 'Scale what is kept of a difference to the L1 norm that the whole difference had.',
    },
    lambda: { scope: 'global', type: 'number', default: 1, doc: 'Factor of the merged difference before it is added.' },
    int8_mask: {
      scope: 'global',
      type: 'boolean',
      default: false,
      doc: 'Accepted for MergeKit’s sake; it has no effect on the result.',
    },
  };
}
