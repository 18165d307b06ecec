// Selecting by the variance of two task vectors (SCE, arXiv:2408.07990) without forming it. The variance is the square of half
// their distance, and of different distances in f32 it differs, where it is a normal number. So distances are compared, with
// what the limit is as a distance; only where the distance itself is no f32 is the variance computed.

import { addDoubles, addLanes, high, highSingles, lastOf, low, lowSingles, singleOf, taken } from './lanes';
import { pairVariance } from './variance';
import { addShorts, between, count, countReached, distances, pagesBehind } from './windows';

const ABS: i32 = 0x7fffffff;
/** Keys of normal numbers. */
const LEAST_NORMAL: i32 = 0x00800000;
const INFINITE: i32 = 0x7f800000;
/** 2^-74: the largest distance of which no variance is left. */
const MOST_WITHOUT: i32 = 0x1a800000;
/** What `mostDistance` says where distances do not tell. */
const UNKNOWN: i32 = -2;

/** The key of the variance of two task vectors that lie so far apart: the bits of (distance / 2)^2. */
@inline
function keyOfDistance(distance: i32): i32 {
  const mean = 0.5 * <f64>reinterpret<f32>(distance);
  return reinterpret<i32>(<f32>(mean * mean));
}

/** The bits of the largest distance whose variance has no larger key than this one; all have a larger one than -1. */
function mostDistance(key: i32): i32 {
  if (key < 0 || key == ABS) return key;
  if (key < LEAST_NORMAL || key >= INFINITE) return UNKNOWN;
  let distance = reinterpret<i32>(<f32>(2 * sqrt(<f64>reinterpret<f32>(key)))) + 2;
  while (keyOfDistance(distance) > key) distance--;
  return distance;
}

/** y - x where it is an f32, by lanes: then both ways back are exact, and one of them shows it if it is not. */
@inline
function isExact(x: v128, y: v128, distance: v128): v128 {
  return v128.and(f32x4.eq(f32x4.sub(y, distance), x), f32x4.eq(f32x4.add(x, distance), y));
}

/** Lanes of a vector that are among the `left` elements that follow. */
@inline
function isInside(left: i32): v128 {
  return i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3));
}

/** Elements between two looks at the quota: while it has room for all of them, equal ones are only counted. */
const RUN: i32 = 512;

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
  const abs = i32x4.splat(ABS);
  const zero = i32x4.splat(0);
  const key = load<i32>(limit);
  const least = i32x4.splat(key);
  const most = mostDistance(key);
  const hasEqual = most >= 0 && keyOfDistance(most) == key;
  // No distance has these bits.
  const equal = i32x4.splat(hasEqual ? most : -1);
  let sumX0 = f64x2.splat(0);
  let sumX1 = sumX0;
  let sumY0 = sumX0;
  let sumY1 = sumX0;
  for (let i = 0; i < n; ) {
    const quota = load<u32>(limit, 4);
    const isTold = most != UNKNOWN && (quota == 0 || quota >= <u32>RUN);
    const below = i32x4.splat(hasEqual && quota > 0 ? most - 1 : most);
    const end = min(n, i + RUN);
    let equals = zero;
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
      const distance0 = f32x4.sub(y0, x0);
      const distance1 = f32x4.sub(y1, x1);
      let isKept0: v128;
      let isKept1: v128;
      if (isTold && i32x4.all_true(v128.and(isExact(x0, y0, distance0), isExact(x1, y1, distance1)))) {
        const size0 = v128.and(distance0, abs);
        const size1 = v128.and(distance1, abs);
        isKept0 = i32x4.gt_s(size0, below);
        isKept1 = i32x4.gt_s(size1, below);
        equals = i32x4.sub(equals, i32x4.add(i32x4.eq(size0, equal), i32x4.eq(size1, equal)));
      } else {
        const key0 = v128.and(pairVariance(x0, y0), abs);
        const key1 = v128.and(pairVariance(x1, y1), abs);
        // A variance of zero is never selected.
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
    } while (i < end);
    if (quota > 0) store<u32>(limit, load<u32>(limit, 4) - addLanes(equals), 4);
  }
  store<f64>(target, addDoubles(sumX0, sumX1));
  store<f64>(target, addDoubles(sumY0, sumY1), 8);
}

/** Elements between two readings of lanes of 16 bits. */
const COUNTED: i32 = 65_536;

/**
 * Counts the keys of the variances of two task vectors, of bf16 as they are stored, in a window of normal numbers whose entry is
 * `window` (windows.ts), and returns how many variances are not zero.
 */
export function countVariancesPairBF16(base: usize, x: usize, y: usize, window: usize, n: i32): i32 {
  const zero = i16x8.splat(0);
  const abs = i32x4.splat(ABS);
  const without = i32x4.splat(MOST_WITHOUT);
  const least = load<u32>(window);
  const width = load<u32>(window, 4);
  const counts = <usize>load<u32>(window, 8);
  const pages = pagesBehind(counts, width);
  const lastDistance = mostDistance(least + width - 1);
  const firstDistance = mostDistance(least - 1) + 1;
  const first = i32x4.splat(firstDistance);
  const last = i32x4.splat(lastDistance);
  const whole = n & ~7;
  let filled = i32x4.splat(0);
  let found: u32 = 0;
  let nonzero: i32 = 0;
  let i = 0;
  while (i < whole) {
    const end = min(whole, i + COUNTED);
    let above = zero;
    let atFirst = zero;
    let atLast = zero;
    do {
      const bases = v128.load(base);
      const xs = v128.load(x);
      const ys = v128.load(y);
      const b0 = lowSingles(bases);
      const b1 = highSingles(bases);
      const x0 = f32x4.sub(lowSingles(xs), b0);
      const x1 = f32x4.sub(highSingles(xs), b1);
      const y0 = f32x4.sub(lowSingles(ys), b0);
      const y1 = f32x4.sub(highSingles(ys), b1);
      const distance0 = f32x4.sub(y0, x0);
      const distance1 = f32x4.sub(y1, x1);
      if (i32x4.all_true(v128.and(isExact(x0, y0, distance0), isExact(x1, y1, distance1)))) {
        const size0 = v128.and(distance0, abs);
        const size1 = v128.and(distance1, abs);
        filled = i32x4.sub(filled, i32x4.add(i32x4.gt_s(size0, without), i32x4.gt_s(size1, without)));
        const fromFirst = distances(size0, size1, first);
        const fromLast = distances(size0, size1, last);
        atFirst = i16x8.sub(atFirst, i16x8.eq(fromFirst, zero));
        atLast = i16x8.sub(atLast, i16x8.eq(fromLast, zero));
        above = i16x8.sub(above, i16x8.gt_s(fromLast, zero));
        for (let lanes = between(fromFirst, fromLast); lanes != 0; lanes &= lanes - 1) {
          const at = <usize>(ctz(lanes) & ~1);
          count(counts, pages, keyAt(base + at, x + at, y + at) - least, 1);
        }
      } else {
        for (let at: usize = 0; at < 16; at += 2) nonzero += countAlone(base + at, x + at, y + at, window);
      }
      base += 16;
      x += 16;
      y += 16;
      i += 8;
    } while (i < end);
    found += addShorts(above);
    if (firstDistance <= lastDistance) count(counts, pages, keyOfDistance(firstDistance) - least, addShorts(atFirst));
    if (firstDistance < lastDistance) count(counts, pages, keyOfDistance(lastDistance) - least, addShorts(atLast));
  }
  for (; i < n; i++) {
    nonzero += countAlone(base, x, y, window);
    base += 2;
    x += 2;
    y += 2;
  }
  store<u64>(window, load<u64>(window, 16) + found, 16);
  return nonzero + addLanes(filled);
}

/** Counts one element; returns whether its variance is not zero. */
function countAlone(base: usize, x: usize, y: usize, window: usize): i32 {
  const key = keyAt(base, x, y);
  if (key >= load<u32>(window)) countReached(window, key);
  return i32(key != 0);
}

/** The key of the variance of one element. */
@inline
function keyAt(base: usize, x: usize, y: usize): u32 {
  const origin = singleOf(base);
  const mean = 0.5 * (<f64>(singleOf(y) - origin) - <f64>(singleOf(x) - origin));
  return reinterpret<u32>(<f32>(mean * mean)) & ABS;
}
