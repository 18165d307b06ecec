// Reductions over one canonical block. Element i adds to lane i mod 4 and the lanes meet in one fixed tree, so a sum
// depends on the block alone: not on threads, chunks or the machine.

import { high, low } from './lanes';

const LANES = memory.data(96, 16);

@inline
function storeLanes(at: usize, a: v128, b: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
}

@inline
function addToLane(at: usize, i: i32, term: f64): void {
  const lane = at + ((i & 3) << 3);
  store<f64>(lane, load<f64>(lane) + term);
}

@inline
function sumLanes(at: usize): f64 {
  return load<f64>(at) + load<f64>(at, 8) + (load<f64>(at, 16) + load<f64>(at, 24));
}

@inline
function storeGram(target: usize): void {
  store<f64>(target, sumLanes(LANES));
  store<f64>(target, sumLanes(LANES + 32), 8);
  store<f64>(target, sumLanes(LANES + 64), 16);
}

/** <x,x>, <x,y> and <y,y> in f64 of two f32 blocks, stored as three f64 at `target`. */
export function gramF32(x: usize, y: usize, target: usize, n: i32): void {
  let xx0 = f64x2.splat(0);
  let xx1 = xx0;
  let xy0 = xx0;
  let xy1 = xx0;
  let yy0 = xx0;
  let yy1 = xx0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const xs = v128.load(x);
    const ys = v128.load(y);
    const x0 = low(xs);
    const x1 = high(xs);
    const y0 = low(ys);
    const y1 = high(ys);
    xx0 = f64x2.add(xx0, f64x2.mul(x0, x0));
    xx1 = f64x2.add(xx1, f64x2.mul(x1, x1));
    xy0 = f64x2.add(xy0, f64x2.mul(x0, y0));
    xy1 = f64x2.add(xy1, f64x2.mul(x1, y1));
    yy0 = f64x2.add(yy0, f64x2.mul(y0, y0));
    yy1 = f64x2.add(yy1, f64x2.mul(y1, y1));
    x += 16;
    y += 16;
  }
  storeLanes(LANES, xx0, xx1);
  storeLanes(LANES + 32, xy0, xy1);
  storeLanes(LANES + 64, yy0, yy1);
  for (; i < n; i++) {
    addGram(i, <f64>load<f32>(x), <f64>load<f32>(y));
    x += 4;
    y += 4;
  }
  storeGram(target);
}

@inline
function addGram(i: i32, x: f64, y: f64): void {
  addToLane(LANES, i, x * x);
  addToLane(LANES + 32, i, x * y);
  addToLane(LANES + 64, i, y * y);
}

export function gramF64(x: usize, y: usize, target: usize, n: i32): void {
  let xx0 = f64x2.splat(0);
  let xx1 = xx0;
  let xy0 = xx0;
  let xy1 = xx0;
  let yy0 = xx0;
  let yy1 = xx0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    xx0 = f64x2.add(xx0, f64x2.mul(x0, x0));
    xx1 = f64x2.add(xx1, f64x2.mul(x1, x1));
    xy0 = f64x2.add(xy0, f64x2.mul(x0, y0));
    xy1 = f64x2.add(xy1, f64x2.mul(x1, y1));
    yy0 = f64x2.add(yy0, f64x2.mul(y0, y0));
    yy1 = f64x2.add(yy1, f64x2.mul(y1, y1));
    x += 32;
    y += 32;
  }
  storeLanes(LANES, xx0, xx1);
  storeLanes(LANES + 32, xy0, xy1);
  storeLanes(LANES + 64, yy0, yy1);
  for (; i < n; i++) {
    addGram(i, load<f64>(x), load<f64>(y));
    x += 8;
    y += 8;
  }
  storeGram(target);
}

/** The same of x - base and y - base, formed in f64 so that nothing is lost before the products. */
export function gramDeltasF32(x: usize, y: usize, base: usize, target: usize, n: i32): void {
  let xx0 = f64x2.splat(0);
  let xx1 = xx0;
  let xy0 = xx0;
  let xy1 = xx0;
  let yy0 = xx0;
  let yy1 = xx0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const xs = v128.load(x);
    const ys = v128.load(y);
    const bs = v128.load(base);
    const b0 = low(bs);
    const b1 = high(bs);
    const x0 = f64x2.sub(low(xs), b0);
    const x1 = f64x2.sub(high(xs), b1);
    const y0 = f64x2.sub(low(ys), b0);
    const y1 = f64x2.sub(high(ys), b1);
    xx0 = f64x2.add(xx0, f64x2.mul(x0, x0));
    xx1 = f64x2.add(xx1, f64x2.mul(x1, x1));
    xy0 = f64x2.add(xy0, f64x2.mul(x0, y0));
    xy1 = f64x2.add(xy1, f64x2.mul(x1, y1));
    yy0 = f64x2.add(yy0, f64x2.mul(y0, y0));
    yy1 = f64x2.add(yy1, f64x2.mul(y1, y1));
    x += 16;
    y += 16;
    base += 16;
  }
  storeLanes(LANES, xx0, xx1);
  storeLanes(LANES + 32, xy0, xy1);
  storeLanes(LANES + 64, yy0, yy1);
  for (; i < n; i++) {
    const origin = <f64>load<f32>(base);
    addGram(i, <f64>load<f32>(x) - origin, <f64>load<f32>(y) - origin);
    x += 4;
    y += 4;
    base += 4;
  }
  storeGram(target);
}

export function gramDeltasF64(x: usize, y: usize, base: usize, target: usize, n: i32): void {
  let xx0 = f64x2.splat(0);
  let xx1 = xx0;
  let xy0 = xx0;
  let xy1 = xx0;
  let yy0 = xx0;
  let yy1 = xx0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const b0 = v128.load(base);
    const b1 = v128.load(base, 16);
    const x0 = f64x2.sub(v128.load(x), b0);
    const x1 = f64x2.sub(v128.load(x, 16), b1);
    const y0 = f64x2.sub(v128.load(y), b0);
    const y1 = f64x2.sub(v128.load(y, 16), b1);
    xx0 = f64x2.add(xx0, f64x2.mul(x0, x0));
    xx1 = f64x2.add(xx1, f64x2.mul(x1, x1));
    xy0 = f64x2.add(xy0, f64x2.mul(x0, y0));
    xy1 = f64x2.add(xy1, f64x2.mul(x1, y1));
    yy0 = f64x2.add(yy0, f64x2.mul(y0, y0));
    yy1 = f64x2.add(yy1, f64x2.mul(y1, y1));
    x += 32;
    y += 32;
    base += 32;
  }
  storeLanes(LANES, xx0, xx1);
  storeLanes(LANES + 32, xy0, xy1);
  storeLanes(LANES + 64, yy0, yy1);
  for (; i < n; i++) {
    const origin = load<f64>(base);
    addGram(i, load<f64>(x) - origin, load<f64>(y) - origin);
    x += 8;
    y += 8;
    base += 8;
  }
  storeGram(target);
}

/** Sum in f64 of |x - base| over the elements whose key (bits of the difference without its sign) is at least `key`. */
export function sumMagnitudesF32(x: usize, base: usize, key: u32, n: i32): f64 {
  const abs = i32x4.splat(0x7fffffff);
  const least = i32x4.splat(key);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const keys = v128.and(f32x4.sub(v128.load(x), v128.load(base)), abs);
    const counted = v128.and(keys, i32x4.ge_s(keys, least));
    sum0 = f64x2.add(sum0, low(counted));
    sum1 = f64x2.add(sum1, high(counted));
    x += 16;
    base += 16;
  }
  storeLanes(LANES, sum0, sum1);
  for (; i < n; i++) {
    const bits = reinterpret<u32>(load<f32>(x) - load<f32>(base)) & 0x7fffffff;
    if (bits >= key) addToLane(LANES, i, <f64>reinterpret<f32>(bits));
    x += 4;
    base += 4;
  }
  return sumLanes(LANES);
}

export function sumMagnitudesF64(x: usize, base: usize, key: u64, n: i32): f64 {
  storeLanes(LANES, f64x2.splat(0), f64x2.splat(0));
  for (let i = 0; i < n; i++) {
    const bits = reinterpret<u64>(load<f64>(x) - load<f64>(base)) & 0x7fffffffffffffff;
    if (bits >= key) addToLane(LANES, i, reinterpret<f64>(bits));
    x += 8;
    base += 8;
  }
  return sumLanes(LANES);
}

/** Sum of squares in f64. */
export function sumSquaresF32(x: usize, n: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const xs = v128.load(x);
    sum0 = f64x2.add(sum0, f64x2.mul(low(xs), low(xs)));
    sum1 = f64x2.add(sum1, f64x2.mul(high(xs), high(xs)));
    x += 16;
  }
  storeLanes(LANES, sum0, sum1);
  for (; i < n; i++) {
    const value = <f64>load<f32>(x);
    addToLane(LANES, i, value * value);
    x += 4;
  }
  return sumLanes(LANES);
}

export function sumSquaresF64(x: usize, n: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    sum0 = f64x2.add(sum0, f64x2.mul(x0, x0));
    sum1 = f64x2.add(sum1, f64x2.mul(x1, x1));
    x += 32;
  }
  storeLanes(LANES, sum0, sum1);
  for (; i < n; i++) {
    const value = load<f64>(x);
    addToLane(LANES, i, value * value);
    x += 8;
  }
  return sumLanes(LANES);
}
