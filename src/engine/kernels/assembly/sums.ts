// Weighted sums of two models, from bf16 as it is stored to bf16.

import { brains, highSingles, lowSingles } from './lanes';

/** c x + d y */
export function addPairBF16(output: usize, x: usize, y: usize, c: f32, d: f32, n: i32): void {
  const first = f32x4.splat(c);
  const second = f32x4.splat(d);
  for (let i = 0; i < n; i += 8) {
    const xs = v128.load(x);
    const ys = v128.load(y);
    const sum0 = f32x4.add(f32x4.mul(lowSingles(xs), first), f32x4.mul(lowSingles(ys), second));
    const sum1 = f32x4.add(f32x4.mul(highSingles(xs), first), f32x4.mul(highSingles(ys), second));
    v128.store(output, brains(sum0, sum1));
    output += 16;
    x += 16;
    y += 16;
  }
}

/** base + c (x - base) + d (y - base) */
export function addDeltaPairBF16(output: usize, base: usize, x: usize, y: usize, c: f32, d: f32, n: i32): void {
  const first = f32x4.splat(c);
  const second = f32x4.splat(d);
  for (let i = 0; i < n; i += 8) {
    const bases = v128.load(base);
    const b0 = lowSingles(bases);
    const b1 = highSingles(bases);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const x0 = f32x4.mul(f32x4.sub(lowSingles(xs), b0), first);
    const x1 = f32x4.mul(f32x4.sub(highSingles(xs), b1), first);
    const y0 = f32x4.mul(f32x4.sub(lowSingles(ys), b0), second);
    const y1 = f32x4.mul(f32x4.sub(highSingles(ys), b1), second);
    v128.store(output, brains(f32x4.add(f32x4.add(x0, y0), b0), f32x4.add(f32x4.add(x1, y1), b1)));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
  }
}
