// Variances across models, element by element (SCE, arXiv:2408.07990), and what is left of task vectors under a mask.

import { addDoubles, addLanes, demoted, high, highSingles, lastOf, low, lowSingles, taken } from './lanes';

/**
 * Variance in f64 of one element of all deltas, rounded once. Relative to the first delta, so that equal ones have none at
 * all. `table` holds the deltas' addresses (u32).
 */
@inline
function varianceAt<T>(table: usize, models: i32, at: usize): f64 {
  const origin = <f64>load<T>(<usize>load<u32>(table) + at);
  let sum: f64 = 0;
  for (let m = 1; m < models; m++) sum += <f64>load<T>(<usize>load<u32>(table + (<usize>m << 2)) + at) - origin;
  const share = 1 / <f64>models;
  const mean = sum * share;
  // Both are half their distance away from the mean.
  if (models == 2) return mean * mean;
  let squares = mean * mean;
  for (let m = 1; m < models; m++) {
    const distance = <f64>load<T>(<usize>load<u32>(table + (<usize>m << 2)) + at) - origin - mean;
    squares += distance * distance;
  }
  return squares * share;
}

/** target = variances; returns how many are not zero. */
export function varianceF32(target: usize, table: usize, models: i32, n: i32): i32 {
  const zero = f32x4.splat(0);
  const share = f64x2.splat(1 / <f64>models);
  const first = <usize>load<u32>(table);
  const end = table + (<usize>models << 2);
  const bytes = <usize>n << 2;
  let zeros = i32x4.splat(0);
  let at: usize = 0;
  if (models == 2) {
    const second = <usize>load<u32>(table, 4);
    for (; at + 16 <= bytes; at += 16) {
      const x = v128.load(first + at);
      const y = v128.load(second + at);
      const variance = pairVariance(x, y);
      zeros = i32x4.sub(zeros, f32x4.eq(variance, zero));
      v128.store(target + at, variance);
    }
  }
  for (; at + 16 <= bytes; at += 16) {
    const x = v128.load(first + at);
    const origin0 = low(x);
    const origin1 = high(x);
    let mean0 = f64x2.splat(0);
    let mean1 = mean0;
    for (let entry = table + 4; entry < end; entry += 4) {
      const y = v128.load(<usize>load<u32>(entry) + at);
      mean0 = f64x2.add(mean0, f64x2.sub(low(y), origin0));
      mean1 = f64x2.add(mean1, f64x2.sub(high(y), origin1));
    }
    mean0 = f64x2.mul(mean0, share);
    mean1 = f64x2.mul(mean1, share);
    let squares0 = f64x2.mul(mean0, mean0);
    let squares1 = f64x2.mul(mean1, mean1);
    for (let entry = table + 4; entry < end; entry += 4) {
      const y = v128.load(<usize>load<u32>(entry) + at);
      const distance0 = f64x2.sub(f64x2.sub(low(y), origin0), mean0);
      const distance1 = f64x2.sub(f64x2.sub(high(y), origin1), mean1);
      squares0 = f64x2.add(squares0, f64x2.mul(distance0, distance0));
      squares1 = f64x2.add(squares1, f64x2.mul(distance1, distance1));
    }
    const variance = demoted(f64x2.mul(squares0, share), f64x2.mul(squares1, share));
    zeros = i32x4.sub(zeros, f32x4.eq(variance, zero));
    v128.store(target + at, variance);
  }
  let count = <i32>(at >> 2);
  count -= i32x4.extract_lane(zeros, 0) + i32x4.extract_lane(zeros, 1);
  count -= i32x4.extract_lane(zeros, 2) + i32x4.extract_lane(zeros, 3);
  for (; at < bytes; at += 4) {
    const variance = <f32>varianceAt<f32>(table, models, at);
    if (variance != 0) count++;
    store<f32>(target + at, variance);
  }
  return count;
}

export function varianceF64(target: usize, table: usize, models: i32, n: i32): i32 {
  const bytes = <usize>n << 3;
  let count = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const variance = varianceAt<f64>(table, models, at);
    if (variance != 0) count++;
    store<f64>(target + at, variance);
  }
  return count;
}

/** Variance of two deltas, element by element. */
@inline
function pairVariance(x: v128, y: v128): v128 {
  const half = f64x2.splat(0.5);
  const mean0 = f64x2.mul(f64x2.sub(low(y), low(x)), half);
  const mean1 = f64x2.mul(f64x2.sub(high(y), high(x)), half);
  return demoted(f64x2.mul(mean0, mean0), f64x2.mul(mean1, mean1));
}

/** target = variances of x - base and y - base, of bf16 as they are stored; returns how many are not zero. */
export function variancePairBF16(target: usize, base: usize, x: usize, y: usize, n: i32): i32 {
  const zero = f32x4.splat(0);
  let filled = i32x4.splat(0);
  let i = 0;
  do {
    if (i + 8 > n) {
      base = lastOf(base, 0, n - i);
      x = lastOf(x, 1, n - i);
      y = lastOf(y, 2, n - i);
    }
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const b0 = lowSingles(bases);
    const b1 = highSingles(bases);
    const variance0 = pairVariance(f32x4.sub(lowSingles(xs), b0), f32x4.sub(lowSingles(ys), b0));
    const variance1 = pairVariance(f32x4.sub(highSingles(xs), b1), f32x4.sub(highSingles(ys), b1));
    filled = i32x4.sub(filled, i32x4.add(f32x4.ne(variance0, zero), f32x4.ne(variance1, zero)));
    v128.store(target, variance0);
    v128.store(target, variance1, 16);
    target += 32;
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
  return addLanes(filled);
}

/** Lanes of a vector that are among the `left` elements that follow. */
@inline
function isInside(left: i32): v128 {
  return i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3));
}

/** More than the roundings to f32 of a distance, of its variance and of the limit may change together: 2^-22. */
const MARGIN: f64 = 1.0 / 4194304;
/** Keys of normal numbers; beside them a variance keeps fewer bits than a distance has. */
const LEAST_NORMAL: i32 = 0x00800000;
const INFINITE: i32 = 0x7f800000;

/**
 * The distance in f32 from which on the variance of two deltas is surely above the key of a threshold (`side` 1), or below
 * which it is surely less (-1). NaN where that cannot be told; anything is above a key of -1.
 */
@inline
function surely(side: f64, key: i32): f32 {
  if (key < 0) return -1;
  if (key < LEAST_NORMAL || key >= INFINITE) return NaN;
  return <f32>(2 * sqrt(<f64>reinterpret<f32>(key)) * (1 + side * MARGIN));
}

/**
 * Of two models of bf16, the sums of squares (f64 each at `target`) of what is left of their task vectors where the variance's
 * key is above the threshold (i32 at `limit`), or equal to it while the quota lasts (u32 behind it); `mask` gets a bit for
 * each of those elements.
 */
export function measureSelectedPairBF16(
  base: usize,
  x: usize,
  y: usize,
  limit: usize,
  mask: usize,
  target: usize,
  n: i32,
): void {
  const abs = i32x4.splat(0x7fffffff);
  const least = v128.load32_splat(limit);
  const surelyAbove = f32x4.splat(surely(1, load<i32>(limit)));
  const surelyBelow = f32x4.splat(surely(-1, load<i32>(limit)));
  let sumX0 = f64x2.splat(0);
  let sumX1 = sumX0;
  let sumY0 = sumX0;
  let sumY1 = sumX0;
  let i = 0;
  do {
    if (i + 8 > n) {
      base = lastOf(base, 0, n - i);
      x = lastOf(x, 1, n - i);
      y = lastOf(y, 2, n - i);
    }
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const b0 = lowSingles(bases);
    const b1 = highSingles(bases);
    let x0 = f32x4.sub(lowSingles(xs), b0);
    let x1 = f32x4.sub(highSingles(xs), b1);
    let y0 = f32x4.sub(lowSingles(ys), b0);
    let y1 = f32x4.sub(highSingles(ys), b1);
    const distance0 = v128.and(f32x4.sub(y0, x0), abs);
    const distance1 = v128.and(f32x4.sub(y1, x1), abs);
    let isKept0 = f32x4.gt(distance0, surelyAbove);
    let isKept1 = f32x4.gt(distance1, surelyAbove);
    const isSure0 = v128.or(isKept0, f32x4.lt(distance0, surelyBelow));
    const isSure1 = v128.or(isKept1, f32x4.lt(distance1, surelyBelow));
    if (!i32x4.all_true(v128.and(isSure0, isSure1))) {
      const key0 = v128.and(pairVariance(x0, y0), abs);
      const key1 = v128.and(pairVariance(x1, y1), abs);
      // A variance of zero is never selected.
      const zero = i32x4.splat(0);
      const isEqual0 = v128.and(i32x4.eq(key0, least), isInside(n - i));
      const isEqual1 = v128.and(i32x4.eq(key1, least), isInside(n - i - 4));
      const first = v128.and(taken(isEqual0, limit + 4), i32x4.ne(key0, zero));
      const second = v128.and(taken(isEqual1, limit + 4), i32x4.ne(key1, zero));
      isKept0 = v128.or(i32x4.gt_s(key0, least), first);
      isKept1 = v128.or(i32x4.gt_s(key1, least), second);
    }
    store<u8>(mask, <u8>i16x8.bitmask(i16x8.narrow_i32x4_s(isKept0, isKept1)));
    x0 = v128.and(x0, isKept0);
    x1 = v128.and(x1, isKept1);
    y0 = v128.and(y0, isKept0);
    y1 = v128.and(y1, isKept1);
    sumX0 = f64x2.add(f64x2.add(sumX0, f64x2.mul(low(x0), low(x0))), f64x2.mul(low(x1), low(x1)));
    sumX1 = f64x2.add(f64x2.add(sumX1, f64x2.mul(high(x0), high(x0))), f64x2.mul(high(x1), high(x1)));
    sumY0 = f64x2.add(f64x2.add(sumY0, f64x2.mul(low(y0), low(y0))), f64x2.mul(low(y1), low(y1)));
    sumY1 = f64x2.add(f64x2.add(sumY1, f64x2.mul(high(y0), high(y0))), f64x2.mul(high(y1), high(y1)));
    base += 16;
    x += 16;
    y += 16;
    mask += 1;
    i += 8;
  } while (i < n);
  store<f64>(target, addDoubles(sumX0, sumX1));
  store<f64>(target, addDoubles(sumY0, sumY1), 8);
}

@inline
function keepWhere<T>(x: usize, mask: usize, n: i32): void {
  const zero = v128.splat<T>(0);
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    v128.store(x, v128.and(v128.load(x), v128.ne<T>(v128.load(mask), zero)));
    x += 16;
    mask += 16;
  }
}

/** x = x where `mask` is not zero, else 0. */
export function keepWhereF32(x: usize, mask: usize, n: i32): void {
  keepWhere<f32>(x, mask, n);
}
export function keepWhereF64(x: usize, mask: usize, n: i32): void {
  keepWhere<f64>(x, mask, n);
}
