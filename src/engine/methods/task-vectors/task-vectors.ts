import type { Pointer } from '../../kernels/kernels.js';
import {
  type Block,
  type Fill,
  type Method,
  type MergeOperation,
  numberSetting,
  type Statistic,
  type Workspace,
} from '../method.js';
import type { Threshold } from '../selection/selection.js';

/** What is left of one model's task vector in one range of the tensor. */
export interface Remains {
  /** What it is multiplied with before it is merged (`rescale`). */
  scale: number;
  /** Turns a block of the model into the block of its task vector, in place; the blocks of a range come in order. */
  sparsify(input: Pointer, base: Pointer, block: Block): void;
  /** Where nothing but magnitudes decides what is left: `sparsify` uses their quotas up. */
  band?: Band;
  /** Where a mask of one bit an element tells what is left: the bits of a block's elements. */
  maskAt?: MaskAt;
}

/** Where the mask of a block lies, of models that are bf16 as they are stored. */
export type MaskAt = (block: Block) => Pointer;

/** What is left of a task vector: elements from the threshold `least` on, without those from `most` on. */
export interface Band {
  least?: Threshold | undefined;
  most?: Threshold | undefined;
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
  band?: Band;
  maskAt?: MaskAt;
}

/**
 * A way of merging what is left: fills the output from the inputs, in which task vectors have taken the models' place. Its
 * `stored` takes the models as they are, and leaves out what their bands or masks leave out.
 */
export type Merging = (operation: MergeOperation, participants: readonly Participant[], workspace: Workspace) => Fill;

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
      const fill = (block: Block): void => {
        const base = block.inputs[0] ?? 0;
        for (const { model, sparsify } of taking) sparsify(block.inputs[model + 1] ?? 0, base, block);
        merge(block);
      };
      return Object.assign(fill, { stored: merge.stored, isPointwise: merge.isPointwise });
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
