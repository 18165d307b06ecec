// Masks of one bit an element: what a pass over a tensor kept, for the pass after it. Whole vectors of 16 elements are
// written, and whole ones of eight are read.

import { addDoubles, high, highSingles, laneBits, lastOf, low, lowSingles } from './lanes';

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

/**
 * Sums in f64 of |x - base| of bf16 as they are stored: of all elements (f64 at `target`), then of those in the mask. Sums and
 * their order are those of sumMagnitudesF32.
 */
export function sumKeptBF16(x: usize, base: usize, mask: usize, target: usize, n: i32): void {
  let all0 = f64x2.splat(0);
  let all1 = all0;
  let kept0 = all0;
  let kept1 = all0;
  let i = 0;
  do {
    if (i + 8 > n) {
      x = lastOf(x, 0, n - i);
      base = lastOf(base, 1, n - i);
    }
    const xs = v128.load(x);
    const bases = v128.load(base);
    const bits = i32(load<u8>(mask));
    let size = sizeOf(lowSingles(xs), lowSingles(bases));
    all0 = f64x2.add(all0, low(size));
    all1 = f64x2.add(all1, high(size));
    let kept = v128.and(size, laneBits(bits));
    kept0 = f64x2.add(kept0, low(kept));
    kept1 = f64x2.add(kept1, high(kept));
    size = sizeOf(highSingles(xs), highSingles(bases));
    all0 = f64x2.add(all0, low(size));
    all1 = f64x2.add(all1, high(size));
    kept = v128.and(size, laneBits(bits >> 4));
    kept0 = f64x2.add(kept0, low(kept));
    kept1 = f64x2.add(kept1, high(kept));
    x += 16;
    base += 16;
    mask += 1;
    i += 8;
  } while (i < n);
  store<f64>(target, addDoubles(all0, all1));
  store<f64>(target, addDoubles(kept0, kept1), 8);
}

/** Magnitudes of four differences. */
@inline
function sizeOf(x: v128, base: v128): v128 {
  return v128.and(f32x4.sub(x, base), i32x4.splat(0x7fffffff));
}
