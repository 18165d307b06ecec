import type { MergeReport } from '../engine/index.js';

/** Above this cosine task vectors have hardly a sign in which they differ, so there is nothing to elect. */
const parallel = 0.9;
/** Below this they share nothing to speak of. */
const unrelated = 0.2;
const opposed = -0.2;

/** What the angles between task vectors say about the choice of a method, in one sentence. */
export function advice({ reference, models, total }: MergeReport): string {
  const cosines = total.cosines.filter((cosine) => cosine !== null);
  if (reference !== 'base') return 'Angles against a mean say little: name the common base for advice.';
  if (models.length < 2 || cosines.length === 0) return 'There is one task vector only, so nothing can be in conflict.';
  if (Math.min(...cosines) >= parallel) {
    return 'The task vectors are nearly parallel: linear will do as well as TIES.';
  }
  if (Math.min(...cosines) <= opposed) {
    return 'Task vectors point against each other: a merge undoes part of what each model learned.';
  }
  if (Math.max(...cosines) <= unrelated) {
    return 'The task vectors are nearly orthogonal: task arithmetic adds them with little loss; TIES settles their sign conflicts.';
  }
  return 'The task vectors agree in part: TIES or DARE may keep more of each model than linear.';
}
