import type { Pointer } from '../kernels/kernels.js';
import { type Block, type Fill, type Gatherer, type MergeOperation, numberSetting, type Workspace } from './method.js';

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
export function mergeChanges(operation: MergeOperation, factors: readonly number[], workspace: Workspace): Fill {
  const epsilon = numberSetting(operation.settings, 'epsilon');
  const table = workspace.allocate(factors.length * ENTRY_BYTES);
  const fill = ({ inputs, output, count }: Block): void => {
    writeTable(workspace, table, inputs, factors);
    workspace.arithmetic.mergeActive(output, inputs[0] ?? 0, table, factors.length, epsilon, count);
  };
  const [f = 1, g = 1] = factors;
  const stored = ({ inputs: [base = 0, x = 0, y = 0], output, count }: Block): void =>
    workspace.kernels.mergeActivePairBF16(output, base, x, y, f, g, epsilon, count);
  return Object.assign(fill, factors.length === 2 && { stored, isPointwise: true });
}

/** Adds the blocks' changes to `totals`. */
export function changeCounter(
  operation: MergeOperation,
  totals: ChangeCounts,
  workspace: Workspace,
): Omit<Gatherer, 'partial'> {
  const epsilon = numberSetting(operation.settings, 'epsilon');
  const models = totals.unique.length;
  const table = workspace.allocate(models * ENTRY_BYTES);
  const add = (model: number, unique: number, active: number): void => {
    totals.unique[model] = (totals.unique[model] ?? 0) + unique;
    totals.active[model] = (totals.active[model] ?? 0) + active;
  };
  const block = ({ inputs, count }: Block): void => {
    writeTable(workspace, table, inputs, totals.unique);
    workspace.arithmetic.countActive(inputs[0] ?? 0, table, models, epsilon, count);
    const view = new DataView(workspace.memory.buffer, table, models * ENTRY_BYTES);
    for (let model = 0; model < models; model++) {
      const countAt = (at: number): number => view.getFloat64(model * ENTRY_BYTES + at, true);
      add(model, countAt(UNIQUE), countAt(ACTIVE));
    }
  };
  const stored = ({ inputs: [base = 0, x = 0, y = 0], count }: Block): void => {
    workspace.kernels.countActivePairBF16(base, x, y, table, epsilon, count);
    const [onlyX = 0, inX = 0, onlyY = 0, inY = 0] = new Float64Array(workspace.memory.buffer, table, 4);
    add(0, onlyX, inX);
    add(1, onlyY, inY);
  };
  return { block, ...(models === 2 && { stored, isPointwise: true }) };
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
