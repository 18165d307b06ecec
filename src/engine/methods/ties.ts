import { type Method, type MergeOperation, type Statistic, numberSetting } from './method.js';
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
    const { arithmetic } = workspace;
    const select = applySelection(keepCounts(operation), found, range, workspace);
    const weights = taskWeights(operation);
    const voting = densities(operation).flatMap((density, i) => (density > 0 && weights[i] !== 0 ? [i] : []));
    const scales = scalesOf(found);
    const lambda = numberSetting(operation.settings, 'lambda');
    const normalize = operation.settings['normalize'] !== false;
    const votes = workspace.allocate(BLOCK_BUFFER_BYTES);
    const total = workspace.allocate(BLOCK_BUFFER_BYTES);
    return ({ inputs, output, count }) => {
      const base = inputs[0] ?? 0;
      const padded = Math.ceil(count / 16) * 16;
      clear(workspace.memory, votes, padded * 8);
      clear(workspace.memory, total, padded * arithmetic.elementBytes);
      clear(workspace.memory, output, padded * arithmetic.elementBytes);
      for (const i of voting) {
        const delta = inputs[i + 1] ?? 0;
        arithmetic.subtract(delta, delta, base, count);
        select(delta, i, count);
        arithmetic.vote(votes, delta, (weights[i] ?? 0) * (scales[i] ?? 1), count);
      }
      for (const i of voting) {
        const weight = weights[i] ?? 0;
        const coefficient = lambda * weight * (scales[i] ?? 1);
        arithmetic.addAgreeing(output, total, inputs[i + 1] ?? 0, votes, coefficient, weight, count);
      }
      if (normalize) arithmetic.divideByTotal(output, total, count);
      arithmetic.add(output, base, count);
    };
  },
};

/** A block of f64, the widest work dtype. */
const BLOCK_BUFFER_BYTES = 16_384 * 8;

function scalesOf(found: readonly Statistic[]): number[] {
  return (found.at(-1)?.['scales'] as number[] | undefined) ?? [];
}

function clear(memory: WebAssembly.Memory, pointer: number, bytes: number): void {
  new Uint8Array(memory.buffer, pointer, bytes).fill(0);
}
