import type { Pointer } from '../../kernels/kernels.js';
import type { Block, MergeOperation, Workspace } from '../method.js';
import type { Remains } from './task-vectors.js';

/** Elements that the kernels write at once. */
const WHOLE = 16;

/**
 * Masks of one bit an element that a pass over a whole tensor keeps for the apply pass, so that nothing is drawn or ranked
 * twice. Of f32; where a tensor's passes do not share a thread, there are none.
 */
export class KeptMasks {
  private readonly blockBytes: number;

  /** @param size elements of a block: each block's bits begin at a byte of its own */
  constructor(
    private readonly operation: MergeOperation,
    private readonly size: number,
    private readonly workspace: Workspace,
  ) {
    this.blockBytes = (Math.ceil(size / WHOLE) * WHOLE) / 8;
  }

  /** Notes which elements of a model's block are left: those that are not zero. */
  note(model: number, x: Pointer, { first, count }: Pick<Block, 'first' | 'count'>): void {
    const { kept, kernels } = this.workspace;
    if (kept === undefined || this.operation.work !== 'F32') return;
    kernels.packKeptF32(this.placeFor(model, first), x, count);
  }

  /** Where the bits of a model's elements from `first` on belong. */
  placeFor(model: number, first: number): Pointer {
    const { kept, reserve } = this.workspace;
    const mask = kept?.get(model) ?? reserve(Math.ceil(this.operation.elements / this.size) * this.blockBytes);
    kept?.set(model, mask);
    return this.placeOf(mask, first);
  }

  /** What is left of a model's task vector by the mask that an earlier pass noted, if one did. */
  find(model: number): Required<Pick<Remains, 'sparsify' | 'maskAt'>> | undefined {
    const mask = this.workspace.kept?.get(model);
    if (mask === undefined) return undefined;
    const maskAt = (first: number): Pointer => this.placeOf(mask, first);
    const { keepPackedF32 } = this.workspace.kernels;
    return {
      maskAt,
      sparsify: (input, base, { first, count }) => keepPackedF32(input, base, maskAt(first), count),
    };
  }

  private placeOf(mask: Pointer, first: number): Pointer {
    return mask + Math.floor(first / this.size) * this.blockBytes + (first % this.size) / 8;
  }
}
