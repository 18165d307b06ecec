import type { Pointer } from '../kernels/kernels.js';
import { type Block, type MergeOperation, numberSetting, type Workspace } from './method.js';

/** An entry of the table that the agreement kernels read: assembly/agreement.ts has its layout. */
const ENTRY_BYTES = 64;
const [FACTOR_F32, FACTOR_F64, UNIQUE, ACTIVE] = [4, 8, 16, 24];

/** How many elements each model changed, and how many of those nobody else did. */
export interface ChangeCounts {
  unique: number[];
  active: number[];
}

/**
 * y = b + factor_i d_i where model i alone changed an element, b + (sum of the changes) / c where c models did. A change
 * counts where |d_i| is above `epsilon`.
 */
export function mergeChanges(
  operation: MergeOperation,
  factors: readonly number[],
  workspace: Workspace,
): (block: Block) => void {
  const epsilon = numberSetting(operation.settings, 'epsilon');
  const table = workspace.allocate(factors.length * ENTRY_BYTES);
  return ({ inputs, output, count }) => {
    writeTable(workspace, table, inputs, factors);
    workspace.arithmetic.mergeActive(output, inputs[0] ?? 0, table, factors.length, epsilon, count);
  };
}

/** Adds a block's changes to `totals`. */
export function changeCounter(
  operation: MergeOperation,
  totals: ChangeCounts,
  workspace: Workspace,
): (block: Block) => void {
  const epsilon = numberSetting(operation.settings, 'epsilon');
  const models = totals.unique.length;
  const table = workspace.allocate(models * ENTRY_BYTES);
  return ({ inputs, count }) => {
    writeTable(workspace, table, inputs, totals.unique);
    workspace.arithmetic.countActive(inputs[0] ?? 0, table, models, epsilon, count);
    const view = new DataView(workspace.memory.buffer, table, models * ENTRY_BYTES);
    for (let model = 0; model < models; model++) {
      const countAt = (at: number): number => view.getFloat64(model * ENTRY_BYTES + at, true);
      totals.unique[model] = (totals.unique[model] ?? 0) + countAt(UNIQUE);
      totals.active[model] = (totals.active[model] ?? 0) + countAt(ACTIVE);
    }
  };
}

function writeTable(
  workspace: Workspace,
  table: Pointer,
  inputs: readonly Pointer[],
  factors: readonly number[],
): void {
  const view = new DataView(workspace.memory.buffer, table, factors.length * ENTRY_BYTES);
  factors.forEach((factor, model) => {
    const at = model * ENTRY_BYTES;
    view.setUint32(at, inputs[model + 1] ?? 0, true);
    view.setFloat32(at + FACTOR_F32, factor, true);
    view.setFloat64(at + FACTOR_F64, factor, true);
  });
}
