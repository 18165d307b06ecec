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
import { type CountStored, windowsOf } from './windows.js';

/** Computes a value for each element of a block. */
export interface Values {
  /** Puts them into a buffer of the work dtype. */
  decoded: (block: Block, values: Pointer) => void;
  /** The same of a block of bf16 as it is stored, into f32. */
  stored?: ((block: Block, values: Pointer) => void) | undefined;
  /** Counts those of a block of bf16 as it is stored in windows, without writing them anywhere. */
  counted?: CountStored;
}

/**
 * A pass of the selection over values that a method computes for each element, instead of over |x - b|: the values are the
 * one model, and the base is zero.
 */
export function gatherValues(
  operation: MergeOperation,
  selected: Selection,
  found: readonly Statistic[],
  workspace: Workspace,
  { decoded, stored, counted }: Values,
): Gatherer {
  const bytes = BLOCK_ELEMENTS * workspace.arithmetic.elementBytes;
  const [zeros, values] = [workspace.allocate(bytes), workspace.reserve(bytes)];
  const inner = selection.gather(operation, selected, found, workspace, counted);
  const isCounting = counted !== undefined && windowsOf(found) !== undefined;
  const select = (block: Block): void => inner.block({ ...block, inputs: [zeros, values] });
  return {
    block: (block) => {
      decoded(block, values);
      select(block);
    },
    stored: isCounting
      ? inner.stored
      : stored &&
        ((block): void => {
          stored(block, values);
          select(block);
        }),
    isPointwise: isCounting,
    partial: () => inner.partial(),
  };
}
