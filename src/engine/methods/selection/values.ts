import type { Pointer } from '../../kernels/kernels.js';
import {
  BLOCK_ELEMENTS,
  type Block,
  type Gatherer,
  type MergeOperation,
  type Statistic,
  type Workspace,
} from '../method.js';
import type { Selection } from './rank.js';
import { selection } from './selection.js';

/**
 * A pass of the selection over values that a method computes for each element, instead of over |x - b|: the values are the
 * one model, and the base is zero.
 * @param write puts the values of a block into a buffer of the work dtype
 * @param writeStored does the same for a block of bf16 as it is stored, into f32
 */
export function gatherValues(
  operation: MergeOperation,
  selected: Selection,
  found: readonly Statistic[],
  workspace: Workspace,
  write: (block: Block, values: Pointer) => void,
  writeStored?: (block: Block, values: Pointer) => void,
): Gatherer {
  const bytes = BLOCK_ELEMENTS * workspace.arithmetic.elementBytes;
  const [zeros, values] = [workspace.allocate(bytes), workspace.reserve(bytes)];
  const inner = selection.gather(operation, selected, found, workspace);
  const select = (block: Block): void => inner.block({ ...block, inputs: [zeros, values] });
  return {
    block: (block) => {
      write(block, values);
      select(block);
    },
    stored:
      writeStored &&
      ((block): void => {
        writeStored(block, values);
        select(block);
      }),
    partial: () => inner.partial(),
  };
}
