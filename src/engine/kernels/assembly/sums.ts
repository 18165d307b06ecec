// Weighted sums of one model or two, from bf16 as it is stored to bf16.

import { brains, evenSingles, highSingles, lowSingles, oddSingles, wovenBrains } from './lanes';

/** c x + d y */
@inline
function sum(x: v128, y: v128, c: v128, d: v128): v128 {
  return f32x4.add(f32x4.mul(x, c), f32x4.mul(y, d));
}

/** c x + d y */
export function addPairBF16(output: usize, x: usize, y: usize, c: f32, d: f32, n: i32): void {
  const first = f32x4.splat(c);
  const second = f32x4.splat(d);
  let i = 0;
  do {
    const xs = v128.load(x);
    const ys = v128.load(y);
    const even = sum(evenSingles(xs), evenSingles(ys), first, second);
    const odd = sum(oddSingles(xs), oddSingles(ys), first, second);
    v128.store(output, wovenBrains(even, odd));
    output += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
}

/** The same with coefficients of each element, in f32. */
export function addProductPairBF16(output: usize, x: usize, y: usize, cs: usize, ds: usize, n: i32): void {
  let i = 0;
  do {
    const xs = v128.load(x);
    const ys = v128.load(y);
    const low = sum(lowSingles(xs), lowSingles(ys), v128.load(cs), v128.load(ds));
    const high = sum(highSingles(xs), highSingles(ys), v128.load(cs, 16), v128.load(ds, 16));
    v128.store(output, brains(low, high));
    output += 16;
    x += 16;
    y += 16;
    cs += 32;
    ds += 32;
    i += 8;
  } while (i < n);
}

/** origin + c (x - base) */
export function addDeltaBF16(output: usize, origin: usize, x: usize, base: usize, c: f32, n: i32): void {
  const factor = f32x4.splat(c);
  let i = 0;
  do {
    const origins = v128.load(origin);
    const xs = v128.load(x);
    const bases = v128.load(base);
    const even = f32x4.mul(f32x4.sub(evenSingles(xs), evenSingles(bases)), factor);
    const odd = f32x4.mul(f32x4.sub(oddSingles(xs), oddSingles(bases)), factor);
    v128.store(output, wovenBrains(f32x4.add(evenSingles(origins), even), f32x4.add(oddSingles(origins), odd)));
    output += 16;
    origin += 16;
    x += 16;
    base += 16;
    i += 8;
  } while (i < n);
}

/** base + c (x - base) + d (y - base) */
@inline
function deltaSum(x: v128, y: v128, base: v128, c: v128, d: v128): v128 {
  return f32x4.add(sum(f32x4.sub(x, base), f32x4.sub(y, base), c, d), base);
}

/** base + c (x - base) + d (y - base) */
export function addDeltaPairBF16(output: usize, base: usize, x: usize, y: usize, c: f32, d: f32, n: i32): void {
  const first = f32x4.splat(c);
  const second = f32x4.splat(d);
  let i = 0;
  do {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const even = deltaSum(evenSingles(xs), evenSingles(ys), evenSingles(bases), first, second);
    const odd = deltaSum(oddSingles(xs), oddSingles(ys), oddSingles(bases), first, second);
    v128.store(output, wovenBrains(even, odd));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
}

/** The same with coefficients of each element, in f32. */
export function addDeltaProductPairBF16(
  output: usize, base: usize, x: usize, y: usize, cs: usize, ds: usize, n: i32,
): void {
  let i = 0;
  do {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const low = deltaSum(lowSingles(xs), lowSingles(ys), lowSingles(bases), v128.load(cs), v128.load(ds));
    const high = deltaSum(highSingles(xs), highSingles(ys), highSingles(bases), v128.load(cs, 16), v128.load(ds, 16));
    v128.store(output, brains(low, high));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    cs += 32;
    ds += 32;
    i += 8;
  } while (i < n);
}
