import { type Block, type MergeOperation, numberSetting } from '../method.js';
import { summingPair } from './pair.js';
import { type Merging, taskWeights } from './task-vectors.js';

/** Below this a sum of weights counts as zero and does not divide (MergeKit's threshold). */
const NEGLIGIBLE_TOTAL = 1e-8;

/** lambda, divided by sum w_i when `normalize` is set: by all weights, also of models of which nothing is left. */
export function sumFactor(operation: MergeOperation): number {
  return numberSetting(operation.settings, 'lambda') / sumDivisor(operation);
}

/** sum w_i when `normalize` is set, else 1. */
export function sumDivisor(operation: MergeOperation): number {
  const total = taskWeights(operation).reduce((sum, weight) => sum + weight, 0);
  const divides = operation.settings['normalize'] === true && Math.abs(total) >= NEGLIGIBLE_TOTAL;
  return divides ? total : 1;
}

/** y = b + lambda sum w_i s_i d_i, divided by sum w_i when `normalize` is set. */
export const sum: Merging = (operation, participants, workspace) => {
  const { scale, addScaled, add } = workspace.arithmetic;
  const factor = sumFactor(operation);
  const terms = participants.map((participant) => {
    return { ...participant, coefficient: factor * participant.weight * participant.scale };
  });
  const fill = ({ inputs, output, count }: Block): void => {
    const base = inputs[0] ?? 0;
    if (terms.length === 0) return scale(output, base, 1, count);
    terms.forEach(({ model, coefficient }, i) => {
      const delta = inputs[model + 1] ?? 0;
      if (i === 0) scale(output, delta, coefficient, count);
      else addScaled(output, delta, coefficient, count);
    });
    add(output, base, count);
  };
  const partners = terms.map((term) => ({ ...term, alone: term.coefficient, together: term.coefficient }));
  return Object.assign(fill, terms.length === 2 && summingPair(partners, workspace));
};
