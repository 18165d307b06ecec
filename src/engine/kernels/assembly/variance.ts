// Variances across models, element by element (SCE, arXiv:2408.07990), and what is left of task vectors under a mask.

import { addLanes, demoted, high, highSingles, low, lowSingles, taken } from './lanes';

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
  for (let i = 0; i < n; i += 8) {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const b0 = lowSingles(bases);
    const b1 = highSingles(bases);
    const variance0 = pairVariance(f32x4.sub(lowSingles(xs), b0), f32x4.sub(lowSingles(ys), b0));
    const variance1 = pairVariance(f32x4.sub(highSingles(xs), b1), f32x4.sub(highSingles(ys), b1));
    filled = i32x4.sub(filled, v128.and(f32x4.ne(variance0, zero), isInside(n - i)));
    filled = i32x4.sub(filled, v128.and(f32x4.ne(variance1, zero), isInside(n - i - 4)));
    v128.store(target, variance0);
    v128.store(target, variance1, 16);
    target += 32;
    base += 16;
    x += 16;
    y += 16;
  }
  return addLanes(filled);
}

/** Lanes of a vector that are among the `left` elements that follow. */
@inline
function isInside(left: i32): v128 {
  return i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3));
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
  const zero = f32x4.splat(0);
  const least = v128.load32_splat(limit);
  let sumX0 = f64x2.splat(0);
  let sumX1 = sumX0;
  let sumY0 = sumX0;
  let sumY1 = sumX0;
  for (let i = 0; i < n; i += 8) {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    let bits = 0;
    for (let half = 0; half < 2; half++) {
      const origin = half == 0 ? lowSingles(bases) : highSingles(bases);
      const deltaX = f32x4.sub(half == 0 ? lowSingles(xs) : highSingles(xs), origin);
      const deltaY = f32x4.sub(half == 0 ? lowSingles(ys) : highSingles(ys), origin);
      const variance = pairVariance(deltaX, deltaY);
      const key = v128.and(variance, i32x4.splat(0x7fffffff));
      const inside = isInside(n - i - 4 * half);
      let isKept = i32x4.gt_s(key, least);
      const isEqual = v128.and(i32x4.eq(key, least), inside);
      if (v128.any_true(isEqual)) isKept = v128.or(isKept, taken(isEqual, limit + 4));
      isKept = v128.and(v128.and(isKept, inside), f32x4.ne(variance, zero));
      bits |= i32x4.bitmask(isKept) << (4 * half);
      const keptX = v128.and(deltaX, isKept);
      const keptY = v128.and(deltaY, isKept);
      sumX0 = f64x2.add(sumX0, f64x2.mul(low(keptX), low(keptX)));
      sumX1 = f64x2.add(sumX1, f64x2.mul(high(keptX), high(keptX)));
      sumY0 = f64x2.add(sumY0, f64x2.mul(low(keptY), low(keptY)));
      sumY1 = f64x2.add(sumY1, f64x2.mul(high(keptY), high(keptY)));
    }
    store<u8>(mask, <u8>bits);
    base += 16;
    x += 16;
    y += 16;
    mask += 1;
  }
  store<f64>(target, sumOf(sumX0, sumX1));
  store<f64>(target, sumOf(sumY0, sumY1), 8);
}

/** In the order of all reductions: two and two lanes, then both. */
@inline
function sumOf(a: v128, b: v128): f64 {
  return (
    f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + (f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1))
  );
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
