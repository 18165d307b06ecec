import { EngineError } from '../errors.js';
import type { Dtype } from '../checkpoint/dtype.js';
import type { Arena } from '../execution/workspace.js';
import type { Pointer } from '../kernels/kernels.js';

/** Elements of a result that are no finite numbers. */
export interface SpecialValues {
  nan: number;
  infinite: number;
}

/**
 * Looks at every byte of a tensor's result on its way to the file, where it costs next to nothing: a model with one NaN
 * in it answers nothing but NaN, and nobody would know from where it came.
 */
export class SpecialCounter {
  readonly found: SpecialValues = { nan: 0, infinite: 0 };
  /** Counts `n` elements that are stored at `at`; what it finds, `check` sees. */
  readonly look: (at: Pointer, n: number) => void;
  private readonly counts: Pointer;

  /** @param dtype of the stored result; integers have neither NaN nor infinity */
  constructor(
    private readonly arena: Arena,
    private readonly tensor: string,
    dtype: Dtype,
    private readonly allowNan: boolean,
  ) {
    this.counts = arena.reserve(8);
    new Uint32Array(arena.memory.buffer, this.counts, 2).fill(0);
    this.look = lookerFor(arena, dtype, this.counts);
  }

  /** Before anything that was looked at is written. @throws EngineError nan_in_result */
  check(): void {
    const counts = new Uint32Array(this.arena.memory.buffer, this.counts, 2);
    const [nan = 0, infinite = 0] = counts;
    counts.fill(0);
    this.found.nan += nan;
    this.found.infinite += infinite;
    if (nan === 0 || this.allowNan) return;
    const message =
      `${this.tensor} of the result would hold NaN: a model has NaN or infinity there, or numbers that overflow; ` +
      'if that is meant, allow it (--allow-nan, allowNan)';
    throw new EngineError('nan_in_result', message, { tensor: this.tensor });
  }
}

function lookerFor({ kernels }: Arena, dtype: Dtype, counts: Pointer): (at: Pointer, n: number) => void {
  switch (dtype) {
    case 'BF16':
      return (at, n) => kernels.countSpecial16(at, 0x7f80, counts, n);
    case 'F16':
      return (at, n) => kernels.countSpecial16(at, 0x7c00, counts, n);
    case 'F32':
      return (at, n) => kernels.countSpecial32(at, counts, n);
    case 'F64':
      return (at, n) => kernels.countSpecial64(at, counts, n);
    default:
      return () => undefined;
  }
}
