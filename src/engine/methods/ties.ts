import type { Pointer } from '../kernels/kernels.js';
import { type Method, type MergeOperation, type Workspace, numberSetting } from './method.js';
import type { Selection } from './selection/rank.js';
import { selection, type Threshold, thresholds, trimmer } from './selection/selection.js';
import { taskWeights } from './task-arithmetic.js';

/** The max(1, int(density n)) largest elements of each task vector survive; all at density >= 1. */
function selectionOf(operation: MergeOperation): Selection {
  const ranks = densities(operation).flatMap((density, model) =>
    density >= 1 || density <= 0 ? [] : [{ model, keep: Math.max(1, Math.trunc(density * operation.elements)) }],
  );
  return { ranks, sums: operation.settings['rescale'] === true };
}

function densities(operation: MergeOperation): number[] {
  return operation.inputSettings.slice(1).map((settings) => numberSetting(settings, 'density'));
}

/**
 * TIES (arXiv:2306.01708): trim each task vector to its largest magnitudes, elect a sign for every element by the
 * weighted sum, and add up those that agree: y = b + lambda sum' w_i d_i / sum' w_i (no division when `normalize` is
 * false).
 */
export const ties: Method = {
  passes: (operation) => selection.passes(operation, selectionOf(operation)),
  usualPasses: (operation) => selection.usualPasses(operation, selectionOf(operation)),
  isComplete: (_operation, found) => selection.isComplete(found),
  walk: (operation, found) => selection.walk(operation, selectionOf(operation), found),
  gather: (operation, _pass, found, workspace) => selection.gather(operation, selectionOf(operation), found, workspace),
  combine: (operation, _pass, found, partials, workspace) =>
    selection.combine(operation, selectionOf(operation), found, partials, workspace),
  apply: (operation, found, range, workspace) => {
    const { ranks } = selectionOf(operation);
    const limits = thresholds(found, range);
    const limitOf = (model: number): Threshold | undefined => limits[ranks.findIndex((rank) => rank.model === model)];
    const voters = votersOf(operation, (model) => limitOf(model)?.scale ?? 1);
    const trims = voters.map(({ model }) => trimmer(limitOf(model), workspace));
    const negligible = negligibleDivisor(operation, voters);
    const table = workspace.allocate(voters.length * ELECTION_ENTRY_BYTES);
    const { elect, electMixed } = workspace.arithmetic;
    const decide = new Set(voters.map(({ share }) => Math.sign(share))).size > 1 ? electMixed : elect;
    return ({ inputs, output, count }) => {
      const base = inputs[0] ?? 0;
      voters.forEach(({ model }, i) => trims[i]?.(inputs[model + 1] ?? 0, base, count));
      writeElection(workspace, table, voters, inputs);
      decide(output, base, table, voters.length, negligible, count);
    };
  },
};

/** A model that takes part in the election: one of weight or density 0 adds nothing and has no vote. */
export interface Voter {
  model: number;
  vote: number;
  share: number;
  coefficient: number;
}

function votersOf(operation: MergeOperation, scaleOf: (model: number) => number): Voter[] {
  const lambda = numberSetting(operation.settings, 'lambda');
  const weights = taskWeights(operation);
  return densities(operation).flatMap((density, model) => {
    const share = weights[model] ?? 0;
    const vote = share * scaleOf(model);
    return density > 0 && share !== 0 ? [{ model, vote, share, coefficient: lambda * vote }] : [];
  });
}

/** Relative to all shares, what is below this is a rounding error: MergeKit divides by it and writes garbage. */
const CANCELLED = 1e-12;

function negligibleDivisor(operation: MergeOperation, voters: readonly Voter[]): number {
  if (operation.settings['normalize'] === false) return -1;
  return CANCELLED * voters.reduce((sum, { share }) => sum + Math.abs(share), 0);
}

/** An entry of the table that the `elect` kernels reads: assembly/consensus.ts has its layout. */
export const ELECTION_ENTRY_BYTES = 40;
const SIGN = 0x8000_0000;

export function writeElection(
  workspace: Workspace,
  table: Pointer,
  voters: readonly Voter[],
  inputs: readonly Pointer[],
): void {
  const view = new DataView(workspace.memory.buffer, table, voters.length * ELECTION_ENTRY_BYTES);
  voters.forEach(({ model, vote, share, coefficient }, i) => {
    const at = i * ELECTION_ENTRY_BYTES;
    view.setUint32(at, inputs[model + 1] ?? 0, true);
    view.setFloat64(at + 8, vote, true);
    view.setFloat64(at + 16, share, true);
    if (workspace.arithmetic.elementBytes === 4) view.setFloat32(at + 4, coefficient, true);
    else view.setFloat64(at + 24, coefficient, true);
    view.setFloat32(at + 32, share, true);
    view.setUint32(at + 36, share < 0 ? SIGN : 0, true);
  });
}
