import type { Kernels, Pointer } from '../kernels/kernels.js';
import { Gram, gramEntries, gramMeter } from './gram.js';
import type { Block, Method, MergeOperation, Statistic, Workspace } from './method.js';
import { vectorCount, vectorsOf } from './vectors.js';
import { applyWeightedDeltas, applyWeightedSum } from './weighted-sum.js';

/** A method's coefficients, from the inner products of its vectors. */
export type Coefficients = (gram: Gram, operation: MergeOperation, kernels: Kernels) => number[];

/**
 * A weighted sum whose coefficients follow from the Gram matrix of whole tensors: of the differences from the base, to
 * which their sum is added, or of the inputs where the operation has no base.
 */
export function gramOfTensor(coefficients: Coefficients): Method {
  return gramMethod(coefficients, vectorCount, vectorsOf, (found, operation, workspace) =>
    (operation.hasBase ? applyWeightedDeltas : applyWeightedSum)(found, workspace),
  );
}

/** The same of the inputs themselves, the base first among them. */
export function gramOfInputs(coefficients: Coefficients): Method {
  return gramMethod(
    coefficients,
    ({ inputs }) => inputs.length,
    (_operation, { inputs }) => inputs,
    (found, _operation, workspace) => applyWeightedSum(found, workspace),
  );
}

function gramMethod(
  coefficients: Coefficients,
  countOf: (operation: MergeOperation) => number,
  vectors: (operation: MergeOperation, block: Block, workspace: Workspace) => readonly Pointer[],
  applySum: (found: readonly number[], operation: MergeOperation, workspace: Workspace) => (block: Block) => void,
): Method {
  return {
    passes: () => 1,
    gather: (operation, _pass, _found, workspace) => {
      const measure = gramMeter(countOf(operation), workspace);
      const entries: number[] = [];
      return {
        block: (block) => entries.push(...measure(vectors(operation, block, workspace), block.count)),
        partial: () => ({ gram: Float64Array.from(entries) }),
      };
    },
    combine: (operation, _pass, _found, partials, workspace) => {
      const count = countOf(operation);
      const gram = sumEntries(partials, gramEntries(count));
      return { gram, coefficients: coefficients(new Gram(count, gram), operation, workspace.kernels) };
    },
    apply: (operation, found, _range, workspace) =>
      applySum((found[0]?.['coefficients'] as number[] | undefined) ?? [], operation, workspace),
  };
}

/** Adds up the blocks' entries in block order, whatever the ranges were. */
function sumEntries(partials: readonly Statistic[], width: number): number[] {
  const totals = new Array<number>(width).fill(0);
  for (const partial of partials) {
    const entries = partial['gram'] as Float64Array;
    entries.forEach((entry, i) => {
      totals[i % width] = (totals[i % width] ?? 0) + entry;
    });
  }
  return totals;
}
