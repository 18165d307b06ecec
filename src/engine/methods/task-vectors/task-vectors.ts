import type { Pointer } from '../../kernels/kernels.js';
import {
  type Block,
  type Method,
  type MergeOperation,
  numberSetting,
  type Statistic,
  type Workspace,
} from '../method.js';

/** What is left of one model's task vector in one range of the tensor. */
export interface Remains {
  /** What it is multiplied with before it is merged (`rescale`). */
  scale: number;
  /** Turns a block of the model into the block of its task vector, in place; the blocks of a range come in order. */
  sparsify(input: Pointer, base: Pointer, block: Block): void;
}

/** A way of leaving elements of task vectors out: all of a method but how the rest is merged. */
export interface Sparsifier extends Omit<Method, 'apply'> {
  /** One entry a model; nothing where nothing is left. */
  open(
    operation: MergeOperation,
    found: Statistic[],
    range: number,
    workspace: Workspace,
  ): readonly (Remains | undefined)[];
}

/** A model that takes part: one of weight or density 0 adds nothing. */
export interface Participant {
  model: number;
  weight: number;
  scale: number;
}

/** A way of merging what is left: fills the output from the inputs, in which task vectors have taken the models' place. */
export type Merging = (
  operation: MergeOperation,
  participants: readonly Participant[],
  workspace: Workspace,
) => (block: Block) => void;

/** Leaves elements of each task vector out, then merges the rest. */
export function taskVectorMethod(sparsifier: Sparsifier, merging: Merging): Method {
  const { open, ...passes } = sparsifier;
  return {
    ...passes,
    apply: (operation, found, range, workspace) => {
      const weights = taskWeights(operation);
      const taking = open(operation, found, range, workspace).flatMap((remains, model) => {
        const weight = weights[model] ?? 0;
        return remains === undefined || weight === 0 ? [] : [{ ...remains, model, weight }];
      });
      const merge = merging(operation, taking, workspace);
      return (block) => {
        const base = block.inputs[0] ?? 0;
        for (const { model, sparsify } of taking) sparsify(block.inputs[model + 1] ?? 0, base, block);
        merge(block);
      };
    },
  };
}

/** Weights of the task vectors; the base, first among the inputs, has none. */
export function taskWeights(operation: MergeOperation): number[] {
  return taskSettings(operation, 'weight');
}

/** A parameter of each model but the base. */
export function taskSettings(operation: MergeOperation, name: string): number[] {
  return operation.inputSettings.slice(1).map((settings) => numberSetting(settings, name));
}
