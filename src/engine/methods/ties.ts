import type { MergeOperation } from './method.js';
import type { Selection } from './selection/rank.js';
import { trimmer } from './selection/selection.js';
import { election } from './task-vectors/election.js';
import { rescaleOf, scaleToNorm } from './task-vectors/rescale.js';
import { selecting } from './task-vectors/selecting.js';
import { taskSettings, taskVectorMethod } from './task-vectors/task-vectors.js';

/** The max(1, int(density n)) largest elements of each task vector survive; all at density >= 1. */
function selectionOf(operation: MergeOperation): Selection {
  const ranks = taskSettings(operation, 'density').flatMap((density, model) =>
    density >= 1 || density <= 0 ? [] : [{ model, keep: Math.max(1, Math.trunc(density * operation.elements)) }],
  );
  return { ranks, sums: rescaleOf(operation) === 'l1' };
}

const largest = selecting(selectionOf, (operation, limits, workspace, { ranks }) => {
  const rescale = rescaleOf(operation);
  return taskSettings(operation, 'density').map((density, model) => {
    if (density <= 0) return undefined;
    const limit = limits[ranks.findIndex((rank) => rank.model === model)];
    const trim = trimmer(limit, workspace);
    let scale = 1;
    if (rescale === 'l1' && limit !== undefined) scale = scaleToNorm(limit.total, limit.kept);
    if (rescale === 'inverse_density') scale = 1 / Math.min(1, density);
    return { scale, band: { least: limit }, sparsify: (input, base, { count }) => trim(input, base, count) };
  });
});

/** TIES (arXiv:2306.01708): trims each task vector to its largest magnitudes and lets the models elect signs. */
export const ties = taskVectorMethod(largest, election);
