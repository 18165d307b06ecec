import type { MergeOperation } from '../method.js';
import type { Selection } from '../selection/rank.js';
import { selection, type Threshold, thresholds } from '../selection/selection.js';
import type { Workspace } from '../method.js';
import type { Remains, Sparsifier } from './task-vectors.js';

/**
 * A sparsifier that keeps elements by their magnitude: thresholds are found first (selection.ts), then applied.
 * @param select what to select of a tensor; it is asked once
 * @param open what to do with the thresholds of a range, one for each rank of the selection
 */
export function selecting(
  select: (operation: MergeOperation) => Selection,
  open: (
    operation: MergeOperation,
    limits: readonly Threshold[],
    workspace: Workspace,
    selected: Selection,
  ) => readonly (Remains | undefined)[],
): Sparsifier {
  const known = new WeakMap<MergeOperation, Selection>();
  const selectionOf = (operation: MergeOperation): Selection => {
    const selected = known.get(operation) ?? select(operation);
    known.set(operation, selected);
    return selected;
  };
  return {
    passes: (operation) => selection.passes(operation, selectionOf(operation)),
    usualPasses: (operation) => selection.usualPasses(operation, selectionOf(operation)),
    isComplete: (_operation, found) => selection.isComplete(found),
    walk: (operation, found) => selection.walk(operation, selectionOf(operation), found),
    gather: (operation, _pass, found, workspace) =>
      selection.gather(operation, selectionOf(operation), found, workspace),
    combine: (operation, _pass, found, partials, workspace) =>
      selection.combine(operation, selectionOf(operation), found, partials, workspace),
    open: (operation, found, range, workspace) =>
      open(operation, thresholds(found, range), workspace, selectionOf(operation)),
  };
}
