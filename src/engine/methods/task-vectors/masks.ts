import type { Pointer } from '../../kernels/kernels.js';
import type { Block, MergeOperation, Workspace } from '../method.js';
import type { MaskAt, Remains } from './task-vectors.js';

/** Elements that the kernels write at once. */
const WHOLE = 64;

/** Writes the mask of a block of one model, all of which are bf16 as they are stored. */
export type MakeMask = (mask: Pointer, block: Block) => void;

/** What is left of a model, and how its mask is made where the inputs need not be decoded for that. */
export interface Leaving extends Pick<Remains, 'sparsify'> {
  makeMask?: MakeMask | undefined;
}

/** Of a model of which all is left. */
export function everything({ arithmetic, memory }: Workspace): Leaving {
  return {
    sparsify: (input, base, { count }) => arithmetic.subtract(input, input, base, count),
    makeMask: (mask, { count }) => void new Uint8Array(memory.buffer, mask, Math.ceil(count / 8)).fill(255),
  };
}

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

  /** Makes the mask of each block, for this block only. */
  making(makeMask: MakeMask): MaskAt {
    const mask = this.workspace.reserve(this.blockBytes);
    return (block) => {
      makeMask(mask, block);
      return mask;
    };
  }

  /** The same, and keeps those of all blocks where masks are kept. */
  keeping(model: number, makeMask: MakeMask): MaskAt {
    if (this.workspace.kept === undefined) return this.making(makeMask);
    return (block) => {
      const mask = this.placeFor(model, block.first);
      makeMask(mask, block);
      return mask;
    };
  }

  /** Where the bits of a model's elements from `first` on belong. */
  placeFor(model: number, first: number): Pointer {
    const { kept, reserve } = this.workspace;
    const mask = kept?.get(model) ?? reserve(Math.ceil(this.operation.elements / this.size) * this.blockBytes);
    kept?.set(model, mask);
    return this.placeOf(mask, first);
  }

  /** What is left of a model's task vector by the mask that an earlier pass kept, if one did. */
  find(model: number): Required<Pick<Remains, 'sparsify' | 'maskAt'>> | undefined {
    const mask = this.workspace.kept?.get(model);
    if (mask === undefined) return undefined;
    const maskAt: MaskAt = ({ first }) => this.placeOf(mask, first);
    const { keepPackedF32 } = this.workspace.kernels;
    return { maskAt, sparsify: (input, base, block) => keepPackedF32(input, base, maskAt(block), block.count) };
  }

  /** The same, or how the mask is made where none was kept. */
  findOrMake(model: number, { makeMask }: Leaving): Partial<Pick<Remains, 'sparsify' | 'maskAt'>> {
    return this.find(model) ?? (makeMask === undefined ? {} : { maskAt: this.making(makeMask) });
  }

  private placeOf(mask: Pointer, first: number): Pointer {
    return mask + Math.floor(first / this.size) * this.blockBytes + (first % this.size) / 8;
  }
}
