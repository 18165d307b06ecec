import { BLOCK_ELEMENTS, type MergeOperation, type Workspace } from './method.js';
import { drawer, drawKey, drawLimit } from './task-vectors/draws.js';
import { election } from './task-vectors/election.js';
import { everything, KeptMasks, type Leaving } from './task-vectors/masks.js';
import { combineNorms, gatherNorms } from './task-vectors/norms.js';
import { rescaleOf } from './task-vectors/rescale.js';
import { sum } from './task-vectors/sum.js';
import { type Sparsifier, taskSettings, taskVectorMethod } from './task-vectors/task-vectors.js';

/** Each element is kept with probability `density`. */
function thin(operation: MergeOperation, workspace: Workspace): (Leaving | undefined)[] {
  const { keepDrawn } = workspace.arithmetic;
  const key = drawKey(operation);
  const draw = drawer(key, BLOCK_ELEMENTS, workspace);
  return taskSettings(operation, 'density').map((density, model) => {
    if (density <= 0) return undefined;
    if (density >= 1) return everything(workspace);
    const limit = drawLimit(density);
    return {
      makeMask: (mask, { first, count }) => workspace.kernels.drawMask(mask, limit, key, model, first, count),
      sparsify: (input, base, block) => {
        const draws = draw(model, block);
        keepDrawn(input, base, draws, limit, key, model, block.first, block.count);
      },
    };
  });
}

function masksOf(operation: MergeOperation, workspace: Workspace): KeptMasks {
  return new KeptMasks(operation, BLOCK_ELEMENTS, workspace);
}

const atRandom: Sparsifier = {
  passes: (operation) => {
    const isThinned = taskSettings(operation, 'density').some((density) => density > 0 && density < 1);
    return isThinned && rescaleOf(operation) === 'l1' ? 1 : 0;
  },
  gather: (operation, _pass, _found, workspace) =>
    gatherNorms(thin(operation, workspace), BLOCK_ELEMENTS, workspace, masksOf(operation, workspace)),
  combine: (operation, _pass, _found, partials) => combineNorms(operation.inputs.length - 1, partials),
  open: (operation, found, _range, workspace) => {
    const densities = taskSettings(operation, 'density');
    const scales = found[0]?.['scales'] as number[] | undefined;
    const masks = masksOf(operation, workspace);
    return thin(operation, workspace).map((remains, model) => {
      if (remains === undefined) return undefined;
      const byDensity = rescaleOf(operation) === 'inverse_density' ? 1 / Math.min(1, densities[model] ?? 1) : 1;
      return { ...remains, ...masks.findOrMake(model, remains), scale: scales?.[model] ?? byDensity };
    });
  },
};

/**
 * DARE (arXiv:2311.03099): keeps each element of a task vector with probability `density`, scales what is kept, and adds it
 * up: y = b + lambda sum w_i s_i m_i (x_i - b). The masks m_i come from a counter (draws.ts).
 */
export const dareLinear = taskVectorMethod(atRandom, sum);

/** The same, but the models elect a sign for every element as in TIES. */
export const dareTies = taskVectorMethod(atRandom, election);
