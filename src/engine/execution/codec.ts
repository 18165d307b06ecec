import { type Dtype, dtypeBits } from '../checkpoint/dtype.js';
import type { Kernels, Pointer, WorkDtype } from '../kernels/kernels.js';

/** Moves `n` elements between two buffers in the kernels' memory. */
export type Convert = (source: Pointer, target: Pointer, n: number) => void;

export function elementBytes(dtype: Dtype): number {
  return dtypeBits(dtype) / 8;
}

/** f64 where an input is f64, else f32: every narrower float is exact in f32. */
export function workDtypeOf(cast: Dtype): WorkDtype {
  return cast === 'F64' ? 'F64' : 'F32';
}

/**
 * Stored dtype to work dtype, through one rounding to `cast` where that is narrower than what is stored.
 * @param scratch two blocks of f64: what lies between
 */
export function decoder(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  stored: Dtype,
  cast: Dtype,
  scratch: Pointer,
): Convert {
  const exact = decodeExact(kernels, memory, stored, workDtypeOf(cast), scratch);
  if (!isNarrower(cast, stored)) return exact;
  const wide = stored === 'F64' ? 'F64' : 'F32';
  const load = decodeExact(kernels, memory, stored, wide, scratch);
  const round = encoder(kernels, wide, cast, scratch);
  const widen = decodeExact(kernels, memory, cast, workDtypeOf(cast), scratch);
  const half = scratch + HALF_SCRATCH_BYTES;
  return (source, target, n) => {
    // The widest of the three steps needs the target's size; narrow results wait in the scratch half.
    load(source, half, n);
    round(half, half, n);
    widen(half, target, n);
  };
}

/** One block of f64, with the padding that kernels may touch. */
export const HALF_SCRATCH_BYTES = 16_384 * 8 + 128;
export const SCRATCH_BYTES = 2 * HALF_SCRATCH_BYTES;

function isNarrower(cast: Dtype, stored: Dtype): boolean {
  const order: Partial<Record<Dtype, number>> = { F64: 3, F32: 2, F16: 1, BF16: 1 };
  const to = order[cast] ?? 0;
  const from = order[stored] ?? 0;
  return to < from || (to === from && cast !== stored);
}

function decodeExact(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  stored: Dtype,
  work: WorkDtype,
  scratch: Pointer,
): Convert {
  if (stored === work) {
    const bytes = elementBytes(stored);
    return (source, target, n) => new Uint8Array(memory.buffer).copyWithin(target, source, source + n * bytes);
  }
  const toSingle = stored === 'BF16' ? kernels.decodeBF16 : stored === 'F16' ? kernels.decodeF16 : undefined;
  if (work === 'F32') {
    if (toSingle !== undefined) return toSingle;
    return kernels.demote;
  }
  if (toSingle === undefined) return kernels.promote;
  return (source, target, n) => {
    toSingle(source, scratch, n);
    kernels.promote(scratch, target, n);
  };
}

/** Work dtype to stored dtype: one rounding to nearest even, canonical NaN. May work in place where sizes shrink. */
export function encoder(kernels: Kernels, work: WorkDtype, stored: Dtype, scratch: Pointer): Convert {
  if (work === 'F64') {
    if (stored === 'F64') return kernels.encodeF64;
    const narrow = stored === 'F32' ? kernels.demote : kernels.demoteOdd;
    const finish = encoder(kernels, 'F32', stored, scratch);
    return (source, target, n) => {
      narrow(source, scratch, n);
      finish(scratch, target, n);
    };
  }
  if (stored === 'BF16') return kernels.encodeBF16;
  if (stored === 'F16') return kernels.encodeF16;
  if (stored === 'F32') return kernels.encodeF32;
  return (source, target, n) => {
    kernels.promote(source, scratch, n);
    kernels.encodeF64(scratch, target, n);
  };
}
