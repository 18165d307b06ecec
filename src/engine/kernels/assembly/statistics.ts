// Reductions over one canonical block. Element i adds to lane i mod 4 and the lanes meet in one fixed tree, so a sum
// depends on the block alone: not on threads, chunks or the machine.

import { evenSingles, high, low, oddSingles, singleOf } from './lanes';

const LANES = memory.data(96, 16);

/** Two of four elements in f64, the first two or, of u16 that stands for bf16, those at even places. */
@inline
function someTwo<T>(x: usize): v128 {
  if (!isFloat<T>()) return low(evenSingles(v128.load64_zero(x)));
  return sizeof<T>() == 8 ? v128.load(x) : low(v128.load64_zero(x));
}

@inline
function otherTwo<T>(x: usize): v128 {
  if (!isFloat<T>()) return low(oddSingles(v128.load64_zero(x)));
  return sizeof<T>() == 8 ? v128.load(x, 16) : low(v128.load64_zero(x, 8));
}

@inline
function one<T>(x: usize): f64 {
  if (!isFloat<T>()) return <f64>singleOf(x);
  return sizeof<T>() == 8 ? load<f64>(x) : <f64>load<f32>(x);
}

@inline
function storeLanes(at: usize, a: v128, b: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
}

/** The lanes in their order, of sums over `someTwo` and `otherTwo`. */
@inline
function storeLanesOf<T>(at: usize, some: v128, other: v128): void {
  if (isFloat<T>()) storeLanes(at, some, other);
  else storeLanes(at, v128.shuffle<i64>(some, other, 0, 2), v128.shuffle<i64>(some, other, 1, 3));
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

/** What the two vectors of a Gram matrix are: x and y; x and y - x; x - base and y - base. */
const PLAIN = 0;
const DELTA = 1;
const DELTAS = 2;

@inline
function first(x: v128, base: v128, form: i32): v128 {
  return form == DELTAS ? f64x2.sub(x, base) : x;
}

@inline
function second(x: v128, y: v128, base: v128, form: i32): v128 {
  if (form == DELTA) return f64x2.sub(y, x);
  return form == DELTAS ? f64x2.sub(y, base) : y;
}

/**
 * <x,x>, <x,y> and <y,y> in f64 of two blocks, stored as three f64 at `target`. Differences are formed in f64, so that
 * nothing is lost before the products. Without DELTAS, `base` is not read.
 */
@inline
function gram<T>(x: usize, y: usize, base: usize, target: usize, n: i32, form: i32): void {
  const none = f64x2.splat(0);
  let xx0 = none;
  let xx1 = none;
  let xy0 = none;
  let xy1 = none;
  let yy0 = none;
  let yy1 = none;
  let i = 0;
  if (n >= 4) do {
    const b0 = form == DELTAS ? someTwo<T>(base) : none;
    const b1 = form == DELTAS ? otherTwo<T>(base) : none;
    const some = someTwo<T>(x);
    const other = otherTwo<T>(x);
    const x0 = first(some, b0, form);
    const x1 = first(other, b1, form);
    const y0 = second(some, someTwo<T>(y), b0, form);
    const y1 = second(other, otherTwo<T>(y), b1, form);
    xx0 = f64x2.add(xx0, f64x2.mul(x0, x0));
    xx1 = f64x2.add(xx1, f64x2.mul(x1, x1));
    xy0 = f64x2.add(xy0, f64x2.mul(x0, y0));
    xy1 = f64x2.add(xy1, f64x2.mul(x1, y1));
    yy0 = f64x2.add(yy0, f64x2.mul(y0, y0));
    yy1 = f64x2.add(yy1, f64x2.mul(y1, y1));
    x += 4 * sizeof<T>();
    y += 4 * sizeof<T>();
    if (form == DELTAS) base += 4 * sizeof<T>();
    i += 4;
  } while (i + 4 <= n);
  storeLanesOf<T>(LANES, xx0, xx1);
  storeLanesOf<T>(LANES + 32, xy0, xy1);
  storeLanesOf<T>(LANES + 64, yy0, yy1);
  for (; i < n; i++) {
    const origin = form == DELTAS ? one<T>(base) : form == DELTA ? one<T>(x) : 0;
    addGram(i, form == DELTAS ? one<T>(x) - origin : one<T>(x), form == PLAIN ? one<T>(y) : one<T>(y) - origin);
    x += sizeof<T>();
    y += sizeof<T>();
    if (form == DELTAS) base += sizeof<T>();
  }
  storeGram(target);
}

@inline
function addGram(i: i32, x: f64, y: f64): void {
  addToLane(LANES, i, x * x);
  addToLane(LANES + 32, i, x * y);
  addToLane(LANES + 64, i, y * y);
}

export function gramBF16(x: usize, y: usize, target: usize, n: i32): void {
  gram<u16>(x, y, 0, target, n, PLAIN);
}
/** <base,base>, <base,x - base> and <x - base,x - base> */
export function gramDeltaBF16(base: usize, x: usize, target: usize, n: i32): void {
  gram<u16>(base, x, 0, target, n, DELTA);
}
export function gramF32(x: usize, y: usize, target: usize, n: i32): void {
  gram<f32>(x, y, 0, target, n, PLAIN);
}
export function gramF64(x: usize, y: usize, target: usize, n: i32): void {
  gram<f64>(x, y, 0, target, n, PLAIN);
}
export function gramDeltasBF16(x: usize, y: usize, base: usize, target: usize, n: i32): void {
  gram<u16>(x, y, base, target, n, DELTAS);
}
export function gramDeltasF32(x: usize, y: usize, base: usize, target: usize, n: i32): void {
  gram<f32>(x, y, base, target, n, DELTAS);
}
export function gramDeltasF64(x: usize, y: usize, base: usize, target: usize, n: i32): void {
  gram<f64>(x, y, base, target, n, DELTAS);
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
