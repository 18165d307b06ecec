import type { Kernels } from '../kernels/kernels.js';
import { Gram, gramEntries, gramMeter } from './gram.js';
import type { Method, MergeOperation, Statistic } from './method.js';
import { applyWeightedDeltas, applyWeightedSum } from './weighted-sum.js';

/** A method's coefficients, from the inner products of its vectors. */
export type Coefficients = (gram: Gram, operation: MergeOperation, kernels: Kernels) => number[];

/**
 * A weighted sum whose coefficients follow from the Gram matrix of whole tensors: of the differences from the base, to
 * which their sum is added, or of the inputs where the operation has no base.
 */
export function gramOfTensor(coefficients: Coefficients): Method {
  return gramMethod(coefficients, ({ hasBase }) => hasBase);
}

/** The same of the inputs themselves, the base first among them. */
export function gramOfInputs(coefficients: Coefficients): Method {
  return gramMethod(coefficients, () => false);
}

function gramMethod(coefficients: Coefficients, ofDeltas: (operation: MergeOperation) => boolean): Method {
  const vectorsOf = (operation: MergeOperation): number => operation.inputs.length - Number(ofDeltas(operation));
  return {
    passes: () => 1,
    gather: (operation, _pass, _found, workspace) => {
      const { gramBF16, gramDeltasBF16 } = workspace.kernels;
      const [vectors, hasBase] = [vectorsOf(operation), ofDeltas(operation)];
      const measure = gramMeter(vectors, hasBase, workspace);
      const measureStored = gramMeter(vectors, hasBase, workspace, { gram: gramBF16, gramDeltas: gramDeltasBF16 });
      const entries: number[] = [];
      return {
        block: ({ inputs, count }) => entries.push(...measure(inputs, count)),
        stored: ({ inputs, count }) => entries.push(...measureStored(inputs, count)),
        partial: () => ({ gram: Float64Array.from(entries) }),
      };
    },
    combine: (operation, _pass, _found, partials, workspace) => {
      const vectors = vectorsOf(operation);
      const gram = sumEntries(partials, gramEntries(vectors));
      return { gram, coefficients: coefficients(new Gram(vectors, gram), operation, workspace.kernels) };
    },
    apply: (operation, found, _range, workspace) => {
      const sum = ofDeltas(operation) ? applyWeightedDeltas : applyWeightedSum;
      return sum((found[0]?.['coefficients'] as number[] | undefined) ?? [], workspace);
    },
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
