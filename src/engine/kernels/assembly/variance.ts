// Variances across models, element by element (SCE, arXiv:2408.07990), and what is left of task vectors where one is set.

import { addLanes, demoted, high, highSingles, lastOf, low, lowSingles } from './lanes';

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
export function pairVariance(x: v128, y: v128): v128 {
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
