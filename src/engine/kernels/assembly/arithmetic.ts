// Elementwise arithmetic in f32 or f64, written once over the lane type.

import { highSingles, lowSingles } from './lanes';

@inline
function scale<T>(target: usize, x: usize, c: T, n: i32): void {
  const factor = v128.splat<T>(c);
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(target, v128.mul<T>(v128.load(x), factor));
    target += 16;
    x += 16;
  }
}

@inline
function addScaled<T>(sum: usize, x: usize, c: T, n: i32): void {
  const factor = v128.splat<T>(c);
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(sum, v128.add<T>(v128.load(sum), v128.mul<T>(v128.load(x), factor)));
    sum += 16;
    x += 16;
  }
}

@inline
function addScaledDelta<T>(sum: usize, x: usize, base: usize, c: T, n: i32): void {
  const factor = v128.splat<T>(c);
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    const delta = v128.sub<T>(v128.load(x), v128.load(base));
    v128.store(sum, v128.add<T>(v128.load(sum), v128.mul<T>(delta, factor)));
    sum += 16;
    x += 16;
    base += 16;
  }
}

@inline
function subtract<T>(target: usize, x: usize, base: usize, n: i32): void {
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(target, v128.sub<T>(v128.load(x), v128.load(base)));
    target += 16;
    x += 16;
    base += 16;
  }
}

@inline
function add<T>(target: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(target, v128.add<T>(v128.load(target), v128.load(x)));
    target += 16;
    x += 16;
  }
}

@inline
function multiply<T>(target: usize, x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(target, v128.mul<T>(v128.load(x), v128.load(y)));
    target += 16;
    x += 16;
    y += 16;
  }
}

@inline
function addProduct<T>(sum: usize, x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(sum, v128.add<T>(v128.load(sum), v128.mul<T>(v128.load(x), v128.load(y))));
    sum += 16;
    x += 16;
    y += 16;
  }
}

export function scaleF32(target: usize, x: usize, c: f32, n: i32): void {
  scale<f32>(target, x, c, n);
}
export function scaleF64(target: usize, x: usize, c: f64, n: i32): void {
  scale<f64>(target, x, c, n);
}
export function addScaledF32(sum: usize, x: usize, c: f32, n: i32): void {
  addScaled<f32>(sum, x, c, n);
}
export function addScaledF64(sum: usize, x: usize, c: f64, n: i32): void {
  addScaled<f64>(sum, x, c, n);
}
export function addScaledDeltaF32(sum: usize, x: usize, base: usize, c: f32, n: i32): void {
  addScaledDelta<f32>(sum, x, base, c, n);
}
export function addScaledDeltaF64(sum: usize, x: usize, base: usize, c: f64, n: i32): void {
  addScaledDelta<f64>(sum, x, base, c, n);
}
export function subtractF32(target: usize, x: usize, base: usize, n: i32): void {
  subtract<f32>(target, x, base, n);
}
/** Of bf16 as they are stored, to f32. */
export function subtractBF16(target: usize, x: usize, base: usize, n: i32): void {
  for (let i = 0; i < n; i += 8) {
    const xs = v128.load(x);
    const bases = v128.load(base);
    v128.store(target, f32x4.sub(lowSingles(xs), lowSingles(bases)));
    v128.store(target, f32x4.sub(highSingles(xs), highSingles(bases)), 16);
    target += 32;
    x += 16;
    base += 16;
  }
}
/** The same of `size` elements from each multiple of `stride`, one behind the other; returns how many that are. */
export function subtractPiecesBF16(target: usize, x: usize, base: usize, size: i32, stride: i32, n: i32): i32 {
  let taken = 0;
  for (let i = 0; i < n; i += stride) {
    const count = min(size, n - i);
    const at = <usize>i << 1;
    subtractBF16(target + (<usize>taken << 2), x + at, base + at, count);
    taken += count;
  }
  return taken;
}
export function subtractF64(target: usize, x: usize, base: usize, n: i32): void {
  subtract<f64>(target, x, base, n);
}
export function addF32(target: usize, x: usize, n: i32): void {
  add<f32>(target, x, n);
}
export function addF64(target: usize, x: usize, n: i32): void {
  add<f64>(target, x, n);
}
export function multiplyF32(target: usize, x: usize, y: usize, n: i32): void {
  multiply<f32>(target, x, y, n);
}
export function multiplyF64(target: usize, x: usize, y: usize, n: i32): void {
  multiply<f64>(target, x, y, n);
}
export function addProductF32(sum: usize, x: usize, y: usize, n: i32): void {
  addProduct<f32>(sum, x, y, n);
}
export function addProductF64(sum: usize, x: usize, y: usize, n: i32): void {
  addProduct<f64>(sum, x, y, n);
}
