import type { Pointer } from '../kernels/kernels.js';
import type { Block, MergeOperation, Workspace } from './method.js';

/** What a method's geometry is about: the differences from the base where there is one, else the inputs. */
export function vectorCount(operation: MergeOperation): number {
  return operation.inputs.length - Number(operation.hasBase);
}

/** The vectors of a block. Differences are formed element by element, in place of the inputs. */
export function vectorsOf(operation: MergeOperation, { inputs, count }: Block, workspace: Workspace): Pointer[] {
  const [base, ...models] = inputs;
  if (!operation.hasBase || base === undefined) return inputs;
  for (const model of models) workspace.arithmetic.subtract(model, model, base, count);
  return models;
}
