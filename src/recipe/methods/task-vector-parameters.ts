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
      words: { l1: true, none: false, inverse_density: 'inverse_density' },
      doc: 'Scale what is kept of a difference: to the L1 norm that the whole difference had (true or l1), by 1 over the share or probability of being kept (inverse_density), or not at all (false or none).',
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

/** For the methods in which models vote on signs. */
export const electionParameters: Readonly<Record<string, MethodParameter>> = {
  weighted_election: {
    scope: 'global',
    type: 'boolean',
    default: true,
    doc: 'Votes on a sign count by the models’ weights; false: only by the size of the differences (a weight of 0 still has no vote).',
  },
};

/** For the methods that look for outliers. */
export const outlierParameters: Readonly<Record<string, MethodParameter>> = {
  gamma: {
    scope: 'model',
    type: 'number',
    default: 0.01,
    min: 0,
    max: 1,
    doc: 'Share of the largest elements that is removed.',
  },
};

/** For the methods in which the probability of being kept depends on the rank. */
export const rankParameters: Readonly<Record<string, MethodParameter>> = {
  epsilon: {
    scope: 'model',
    type: 'number',
    default: 0.15,
    min: 0,
    max: 1,
    doc: 'The probability of keeping an element goes from density - epsilon for the smallest to density + epsilon for the largest; where that leaves 0 to 1, a smaller epsilon holds.',
  },
};
