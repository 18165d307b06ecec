import type { MergeOperation } from './method.js';
import type { Rank } from './selection/rank.js';
import { type Threshold, trimmer } from './selection/selection.js';
import { election } from './task-vectors/election.js';
import { rescaleOf, scaleToNorm } from './task-vectors/rescale.js';
import { selecting } from './task-vectors/selecting.js';
import { sum } from './task-vectors/sum.js';
import { taskSettings, taskVectorMethod } from './task-vectors/task-vectors.js';

/** How many of a task vector's largest elements are removed as outliers, and up to which rank the next ones are kept. */
interface RankBand {
  removed: number;
  upTo: number;
}

/**
 * int(density n) elements are kept, below the int(gamma n) largest: fewer of those are removed where not enough elements
 * would be left. All are kept at density >= 1. Nothing: no element is kept.
 */
function bandOf(density: number, gamma: number, elements: number): RankBand | undefined {
  if (density >= 1) return { removed: 0, upTo: elements };
  const kept = Math.trunc(density * elements);
  if (kept <= 0) return undefined;
  const removed = Math.min(Math.max(0, Math.trunc(gamma * elements)), elements - kept);
  return { removed, upTo: removed + kept };
}

function bandsOf(operation: MergeOperation): (RankBand | undefined)[] {
  const gammas = taskSettings(operation, 'gamma');
  return taskSettings(operation, 'density').map((density, model) =>
    bandOf(density, gammas[model] ?? 0, operation.elements),
  );
}

/** Up to two thresholds a model. */
function ranksOf(operation: MergeOperation): Rank[] {
  return bandsOf(operation).flatMap((band, model) =>
    band === undefined
      ? []
      : [band.removed, band.upTo]
          .filter((keep) => keep > 0 && keep < operation.elements)
          .map((keep) => ({ model, keep })),
  );
}

const outliers = selecting(
  (operation) => ({ ranks: ranksOf(operation), sums: rescaleOf(operation) === 'l1' }),
  (operation, limits, workspace, { ranks }) => {
    const rescale = rescaleOf(operation);
    const densities = taskSettings(operation, 'density');
    return bandsOf(operation).map((band, model) => {
      if (band === undefined) return undefined;
      const limitOf = (keep: number): Threshold | undefined =>
        limits[ranks.findIndex((rank) => rank.model === model && rank.keep === keep)];
      const [upper, lower] = [limitOf(band.removed), limitOf(band.upTo)];
      const trim = trimmer(lower, workspace);
      let scale = 1;
      if (rescale === 'l1') scale = scaleOfBand(upper, lower);
      if (rescale === 'inverse_density') scale = 1 / Math.min(1, densities[model] ?? 1);
      return {
        scale,
        band: { least: lower, most: upper },
        sparsify: (input, base, { count }) => {
          trim(input, base, count);
          if (upper === undefined) return;
          upper.quota = workspace.arithmetic.clearLargest(input, upper.key, upper.quota, count);
        },
      };
    });
  },
);

function scaleOfBand(upper: Threshold | undefined, lower: Threshold | undefined): number {
  const total = (upper ?? lower)?.total;
  return total === undefined ? 1 : scaleToNorm(total, (lower?.kept ?? total) - (upper?.kept ?? 0));
}

/**
 * Model Breadcrumbs (arXiv:2312.06795): removes the largest elements of each task vector as outliers and the smallest as
 * noise, and adds the rest.
 */
export const breadcrumbs = taskVectorMethod(outliers, sum);

/** The same, but the models elect a sign for every element as in TIES. */
export const breadcrumbsTies = taskVectorMethod(outliers, election);
