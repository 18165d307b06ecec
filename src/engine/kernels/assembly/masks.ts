// Masks of one bit an element: what a pass over a tensor kept, for the pass after it. Whole vectors of 16 elements are
// written, and whole ones of eight are read.

import { laneBits } from './lanes';

/** A bit for each element of x that is not zero. */
export function packKeptF32(mask: usize, x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < n; i += 16) {
    const a = i16x8.narrow_i32x4_s(f32x4.ne(v128.load(x), zero), f32x4.ne(v128.load(x, 16), zero));
    const b = i16x8.narrow_i32x4_s(f32x4.ne(v128.load(x, 32), zero), f32x4.ne(v128.load(x, 48), zero));
    store<u16>(mask, <u16>i8x16.bitmask(i8x16.narrow_i16x8_s(a, b)));
    mask += 2;
    x += 64;
  }
}

/** Turns x into what the mask leaves of the task vector x - base. */
export function keepPackedF32(x: usize, base: usize, mask: usize, n: i32): void {
  for (let i = 0; i < n; i += 8) {
    const bits = load<u8>(mask);
    v128.store(x, v128.and(f32x4.sub(v128.load(x), v128.load(base)), laneBits(bits)));
    v128.store(x, v128.and(f32x4.sub(v128.load(x, 16), v128.load(base, 16)), laneBits(bits >> 4)), 16);
    mask += 1;
    x += 32;
    base += 32;
  }
}
