import { type ChangeCounts, changeCounter, mergeChanges } from './active-changes.js';
import { type MergeOperation, numberSetting, type Method, type Statistic } from './method.js';

function noChanges(operation: MergeOperation): ChangeCounts {
  const zeros = operation.inputs.slice(1).map(() => 0);
  return { unique: [...zeros], active: [...zeros] };
}

/** 1 + r min(alpha, shared_i / max(unique_i, epsilon)), from how many of a model's changes others made too. */
export function uniqueFactors(operation: MergeOperation, { unique, active }: ChangeCounts): number[] {
  const [r = 0, alpha = 0, epsilon = 0] = ['r', 'alpha', 'epsilon'].map((name) =>
    numberSetting(operation.settings, name),
  );
  return unique.map((alone, model) => {
    const shared = (active[model] ?? 0) - alone;
    return shared === 0 ? 1 : 1 + r * Math.min(alpha, shared / Math.max(alone, epsilon));
  });
}

/** RAM+ (arXiv:2601.13572), counted over one tensor: as RAM, with a model's lone changes under its factor. */
export const ramplusTl: Method = {
  passes: () => 1,
  gather: (operation, _pass, _found, workspace) => {
    const totals = noChanges(operation);
    return { ...changeCounter(operation, totals, workspace), partial: () => ({ ...totals }) };
  },
  combine: (operation, _pass, _found, partials): Statistic => {
    const totals = noChanges(operation);
    for (const partial of partials as unknown as ChangeCounts[]) {
      for (const kind of ['unique', 'active'] as const) {
        totals[kind] = totals[kind].map((total, model) => total + (partial[kind][model] ?? 0));
      }
    }
    return { ...totals, factors: uniqueFactors(operation, totals) };
  },
  apply: (operation, found, _range, workspace) =>
    mergeChanges(operation, (found[0] as { factors?: number[] } | undefined)?.factors ?? [], workspace),
};
