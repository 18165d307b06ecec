import { blockElements, type MergeOperation, rowElements, type Workspace } from './method.js';
import { drawer, drawKey } from './task-vectors/draws.js';
import { election } from './task-vectors/election.js';
import { everything, KeptMasks, type Leaving } from './task-vectors/masks.js';
import { combineNorms, gatherNorms } from './task-vectors/norms.js';
import { type RankedOdds, rankedKeeper } from './task-vectors/ranked.js';
import { rescaleOf } from './task-vectors/rescale.js';
import { sum } from './task-vectors/sum.js';
import { type Sparsifier, taskSettings, taskVectorMethod } from './task-vectors/task-vectors.js';

/**
 * From density - epsilon for the smallest magnitude of a row to density + epsilon for the largest. An epsilon that leads out
 * of 0 to 1 is made smaller, so that the share that is kept stays. A row of one element has the density.
 */
function oddsOf(operation: MergeOperation, density: number, epsilon: number): RankedOdds {
  const row = rowElements(operation);
  const spread = row === 1 ? 0 : Math.max(0, Math.min(epsilon, density, 1 - density));
  const isScaled = rescaleOf(operation) === 'inverse_density';
  return { lowest: density - spread, step: (2 * spread) / Math.max(1, row - 1), isScaled };
}

function prune(operation: MergeOperation, workspace: Workspace): (Leaving | undefined)[] {
  const { elementBytes } = workspace.arithmetic;
  const row = rowElements(operation);
  const key = drawKey(operation);
  const draw = drawer(key, blockElements(operation, rowwise), workspace);
  const epsilons = taskSettings(operation, 'epsilon');
  return taskSettings(operation, 'density').map((density, model) => {
    if (density <= 0) return undefined;
    if (density >= 1) return everything(workspace);
    const { keep, mark } = rankedKeeper(oddsOf(operation, density, epsilons[model] ?? 0), key, row, workspace);
    return {
      sparsify: (input, base, block) => {
        const draws = draw(model, block);
        for (let at = 0; at < block.count; at += row) {
          const bytes = at * elementBytes;
          keep(input + bytes, base + bytes, draws + 2 * at, model, block.first + at);
        }
      },
      makeMask:
        mark &&
        ((mask, block) => {
          const draws = draw(model, block);
          const [x, base] = [block.inputs[model + 1] ?? 0, block.inputs[0] ?? 0];
          for (let at = 0; at < block.count; at += row) {
            mark(mask + at / 8, x + 2 * at, base + 2 * at, draws + 2 * at, model, block.first + at);
          }
        }),
    };
  });
}

const rowwise = { byRows: true } as const;

function masksOf(operation: MergeOperation, workspace: Workspace): KeptMasks {
  return new KeptMasks(operation, blockElements(operation, rowwise), workspace);
}

const byRank: Sparsifier = {
  ...rowwise,
  passes: (operation) => {
    const isPruned = taskSettings(operation, 'density').some((density) => density > 0 && density < 1);
    return isPruned && rescaleOf(operation) === 'l1' ? 1 : 0;
  },
  gather: (operation, _pass, _found, workspace) =>
    gatherNorms(
      prune(operation, workspace),
      blockElements(operation, rowwise),
      workspace,
      masksOf(operation, workspace),
    ),
  combine: (operation, _pass, _found, partials) => combineNorms(operation.inputs.length - 1, partials),
  open: (operation, found, _range, workspace) => {
    const scales = found[0]?.['scales'] as number[] | undefined;
    const masks = masksOf(operation, workspace);
    return prune(operation, workspace).map(
      (remains, model) => remains && { ...remains, ...masks.findOrMake(model, remains), scale: scales?.[model] ?? 1 },
    );
  },
};

/**
 * DELLA (arXiv:2406.11617): keeps each element of a task vector with a probability that grows with the rank of its magnitude
 * along the last dimension, scales what is kept, and lets the models elect a sign for every element as in TIES. With r from
 * 0 (smallest) to 1 (largest), p = density - epsilon + 2 epsilon r.
 */
export const della = taskVectorMethod(byRank, election);

/** The same without an election: y = b + lambda sum w_i s_i m_i (x_i - b). */
export const dellaLinear = taskVectorMethod(byRank, sum);
