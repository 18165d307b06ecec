import type { Pointer } from '../kernels/kernels.js';
import { type Method, type MergeOperation, type Statistic, type Workspace, numberSetting } from './method.js';
import {
  applySelection,
  combineDigits,
  gatherDigits,
  selectionPasses,
  type KeepCounts,
} from './magnitude-selection.js';
import { taskWeights } from './task-arithmetic.js';

/** How many elements of each task vector survive: max(1, int(density n)); all at density >= 1. */
function keepCounts(operation: MergeOperation): KeepCounts {
  return densities(operation).map((density) =>
    density >= 1 || density <= 0 ? undefined : Math.max(1, Math.trunc(density * operation.elements)),
  );
}

function densities(operation: MergeOperation): number[] {
  return operation.inputSettings.slice(1).map((settings) => numberSetting(settings, 'density'));
}

/** One digit of the key a pass: 31 bits take two, 63 bits four. */
function digitsOf(operation: MergeOperation): number {
  return operation.work === 'F32' ? 2 : 4;
}

/**
 * TIES (arXiv:2306.01708): trim each task vector to its largest magnitudes, elect a sign for every element by the
 * weighted sum, and add up those that agree: y = b + lambda sum' w_i d_i / sum' w_i (no division when `normalize` is
 * false).
 */
export const ties: Method = {
  passes: (operation) => selectionPasses(keepCounts(operation), digitsOf(operation)),
  gather: (operation, pass, found, workspace) => gatherDigits(operation, keepCounts(operation), pass, found, workspace),
  combine: (operation, pass, found, partials, workspace) =>
    combineDigits(operation, keepCounts(operation), pass, found, partials, workspace),
  apply: (operation, found, range, workspace) => {
    const trim = applySelection(keepCounts(operation), found, range, workspace);
    const voters = votersOf(operation, found);
    const negligible = negligibleDivisor(operation, voters);
    const table = workspace.allocate(voters.length * ENTRY_BYTES);
    return ({ inputs, output, count }) => {
      const base = inputs[0] ?? 0;
      for (const { model } of voters) trim(inputs[model + 1] ?? 0, base, model, count);
      writeElection(workspace, table, voters, inputs);
      workspace.arithmetic.elect(output, base, table, voters.length, negligible, count);
    };
  },
};

/** A model that takes part in the election: one of weight or density 0 adds nothing and has no vote. */
interface Voter {
  model: number;
  vote: number;
  share: number;
  coefficient: number;
}

function votersOf(operation: MergeOperation, found: readonly Statistic[]): Voter[] {
  const scales = (found.at(-1)?.['scales'] as number[] | undefined) ?? [];
  const lambda = numberSetting(operation.settings, 'lambda');
  const weights = taskWeights(operation);
  return densities(operation).flatMap((density, model) => {
    const share = weights[model] ?? 0;
    const vote = share * (scales[model] ?? 1);
    return density > 0 && share !== 0 ? [{ model, vote, share, coefficient: lambda * vote }] : [];
  });
}

/** Relative to all shares, what is below this is a rounding error: MergeKit divides by it and writes garbage. */
const CANCELLED = 1e-12;

function negligibleDivisor(operation: MergeOperation, voters: readonly Voter[]): number {
  if (operation.settings['normalize'] === false) return -1;
  return CANCELLED * voters.reduce((sum, { share }) => sum + Math.abs(share), 0);
}

/** An entry of the table that the `elect` kernel reads: assembly/consensus.ts has its layout. */
const ENTRY_BYTES = 32;

function writeElection(
  workspace: Workspace,
  table: Pointer,
  voters: readonly Voter[],
  inputs: readonly Pointer[],
): void {
  const view = new DataView(workspace.memory.buffer, table, voters.length * ENTRY_BYTES);
  voters.forEach(({ model, vote, share, coefficient }, i) => {
    const at = i * ENTRY_BYTES;
    view.setUint32(at, inputs[model + 1] ?? 0, true);
    view.setFloat64(at + 8, vote, true);
    view.setFloat64(at + 16, share, true);
    if (workspace.arithmetic.elementBytes === 4) view.setFloat32(at + 4, coefficient, true);
    else view.setFloat64(at + 24, coefficient, true);
  });
}
