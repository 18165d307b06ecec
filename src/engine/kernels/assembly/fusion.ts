// Arcee Fusion's scores: the change of an element, times the divergence of its row, up to its sign.

import { highSingles, lowSingles } from './lanes';

/** c (x - base), of bf16 as they are stored, to f32. */
export function scaleDeltaBF16(target: usize, x: usize, base: usize, c: f32, n: i32): void {
  const factor = f32x4.splat(c);
  for (let i = 0; i < n; i += 8) {
    const xs = v128.load(x);
    const bases = v128.load(base);
    v128.store(target, f32x4.mul(f32x4.sub(lowSingles(xs), lowSingles(bases)), factor));
    v128.store(target, f32x4.mul(f32x4.sub(highSingles(xs), highSingles(bases)), factor), 16);
    target += 32;
    x += 16;
    base += 16;
  }
}

/** Whether the key of c (x - base), the bits of its magnitude, is above `below`. */
@inline
function isAbove(x: v128, base: v128, c: v128, below: v128): v128 {
  return i32x4.gt_s(v128.and(f32x4.mul(f32x4.sub(x, base), c), i32x4.splat(0x7fffffff)), below);
}

/** x where the key of c (x - base) is `least` or more, else base. */
export function takeScoredF32(output: usize, x: usize, base: usize, c: f32, least: i32, n: i32): void {
  const factor = f32x4.splat(c);
  const below = i32x4.splat(least - 1);
  for (let i = 0; i < n; i += 4) {
    const xs = v128.load(x);
    const bases = v128.load(base);
    v128.store(output, v128.bitselect(xs, bases, isAbove(xs, bases, factor, below)));
    output += 16;
    x += 16;
    base += 16;
  }
}

export function takeScoredF64(output: usize, x: usize, base: usize, c: f64, least: i64, n: i32): void {
  const factor = f64x2.splat(c);
  const below = i64x2.splat(least - 1);
  for (let i = 0; i < n; i += 2) {
    const xs = v128.load(x);
    const bases = v128.load(base);
    const score = f64x2.mul(f64x2.sub(xs, bases), factor);
    const key = v128.and(score, i64x2.splat(0x7fffffffffffffff));
    v128.store(output, v128.bitselect(xs, bases, i64x2.gt_s(key, below)));
    output += 16;
    x += 16;
    base += 16;
  }
}

/** The same of bf16 as they are stored, to bf16. */
export function takeScoredBF16(output: usize, x: usize, base: usize, c: f32, least: i32, n: i32): void {
  const factor = f32x4.splat(c);
  const below = i32x4.splat(least - 1);
  for (let i = 0; i < n; i += 8) {
    const xs = v128.load(x);
    const bases = v128.load(base);
    const isTaken = i16x8.narrow_i32x4_s(
      isAbove(lowSingles(xs), lowSingles(bases), factor, below),
      isAbove(highSingles(xs), highSingles(bases), factor, below),
    );
    const taken = v128.bitselect(xs, bases, isTaken);
    // Every NaN is stored with the same bits.
    const isNaN = i16x8.gt_s(v128.and(taken, i16x8.splat(0x7fff)), i16x8.splat(0x7f80));
    v128.store(output, v128.bitselect(i16x8.splat(0x7fc0), taken, isNaN));
    output += 16;
    x += 16;
    base += 16;
  }
}
