// Arcee Fusion's scores: the change of an element, times the divergence of its row, up to its sign.

import { addLanes, evenSingles, highSingles, lowSingles, oddSingles, singleOf, woven } from './lanes';
import { countInside, countReached } from './windows';

const ABS: i32 = 0x7fffffff;

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
  return i32x4.gt_s(keysOf(x, base, c), below);
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

/**
 * The same of bf16 as they are stored, to bf16, of whole rows of which each has a factor of its own (f32). A row's last
 * vector reaches into the next row, which is still to be written.
 */
export function takeScoredBF16(
  output: usize,
  x: usize,
  base: usize,
  factors: usize,
  row: i32,
  least: i32,
  n: i32,
): void {
  const below = i32x4.splat(least - 1);
  for (let first = 0; first < n; first += row) {
    const at = <usize>first << 1;
    takeRow(output + at, x + at, base + at, v128.load32_splat(factors), below, row);
    factors += 4;
  }
}

@inline
function takeRow(output: usize, x: usize, base: usize, factor: v128, below: v128, n: i32): void {
  const end = output + (<usize>n << 1);
  do {
    const xs = v128.load(x);
    const bases = v128.load(base);
    const isTaken = woven(
      isAbove(evenSingles(xs), evenSingles(bases), factor, below),
      isAbove(oddSingles(xs), oddSingles(bases), factor, below),
    );
    const taken = v128.bitselect(xs, bases, isTaken);
    // Every NaN is stored with the same bits.
    const isNaN = i16x8.gt_s(v128.and(taken, i16x8.splat(0x7fff)), i16x8.splat(0x7f80));
    v128.store(output, v128.bitselect(i16x8.splat(0x7fc0), taken, isNaN));
    output += 16;
    x += 16;
    base += 16;
  } while (output < end);
}

/** Entries of windows.ts. */
const WINDOW_BYTES: usize = 24;
const WINDOWS: usize = 3;

/**
 * Counts the keys of the scores of whole rows in three windows at once. Scores are scattered: few lie in a window.
 */
export function countScoresBF16(x: usize, base: usize, factors: usize, row: i32, windows: usize, n: i32): void {
  const before0 = i32x4.splat(load<u32>(windows) - 1);
  const before1 = i32x4.splat(load<u32>(windows, 24) - 1);
  const before2 = i32x4.splat(load<u32>(windows, 48) - 1);
  const last0 = i32x4.splat(load<u32>(windows) + load<u32>(windows, 4) - 1);
  const last1 = i32x4.splat(load<u32>(windows, 24) + load<u32>(windows, 28) - 1);
  const last2 = i32x4.splat(load<u32>(windows, 48) + load<u32>(windows, 52) - 1);
  let above0 = i32x4.splat(0);
  let above1 = above0;
  let above2 = above0;
  for (let first = 0; first < n; first += row) {
    const c = load<f32>(factors);
    const factor = f32x4.splat(c);
    let left = row;
    if (left >= 8) {
      do {
        const xs = v128.load(x);
        const bases = v128.load(base);
        const even = keysOf(evenSingles(xs), evenSingles(bases), factor);
        const odd = keysOf(oddSingles(xs), oddSingles(bases), factor);
        const even0 = i32x4.gt_s(even, last0);
        const even1 = i32x4.gt_s(even, last1);
        const even2 = i32x4.gt_s(even, last2);
        const odd0 = i32x4.gt_s(odd, last0);
        const odd1 = i32x4.gt_s(odd, last1);
        const odd2 = i32x4.gt_s(odd, last2);
        above0 = i32x4.sub(above0, i32x4.add(even0, odd0));
        above1 = i32x4.sub(above1, i32x4.add(even1, odd1));
        above2 = i32x4.sub(above2, i32x4.add(even2, odd2));
        const isInsideEven = v128.or(
          v128.andnot(i32x4.gt_s(even, before0), even0),
          v128.or(v128.andnot(i32x4.gt_s(even, before1), even1), v128.andnot(i32x4.gt_s(even, before2), even2)),
        );
        const isInsideOdd = v128.or(
          v128.andnot(i32x4.gt_s(odd, before0), odd0),
          v128.or(v128.andnot(i32x4.gt_s(odd, before1), odd1), v128.andnot(i32x4.gt_s(odd, before2), odd2)),
        );
        if (v128.any_true(v128.or(isInsideEven, isInsideOdd))) {
          let lanes = i16x8.bitmask(woven(isInsideEven, isInsideOdd));
          for (; lanes != 0; lanes &= lanes - 1) {
            const at = <usize>ctz(lanes) << 1;
            countInWindows(keyOf(x + at, base + at, c), windows);
          }
        }
        x += 16;
        base += 16;
        left -= 8;
      } while (left >= 8);
    }
    for (; left > 0; left--) {
      countAlone(keyOf(x, base, c), windows);
      x += 2;
      base += 2;
    }
    factors += 4;
  }
  store<u64>(windows, load<u64>(windows, 16) + addLanes(above0), 16);
  store<u64>(windows, load<u64>(windows, 40) + addLanes(above1), 40);
  store<u64>(windows, load<u64>(windows, 64) + addLanes(above2), 64);
}

function countInWindows(key: u32, windows: usize): void {
  for (let window = windows; window < windows + WINDOWS * WINDOW_BYTES; window += WINDOW_BYTES) {
    countInside(window, key);
  }
}

function countAlone(key: u32, windows: usize): void {
  for (let window = windows; window < windows + WINDOWS * WINDOW_BYTES; window += WINDOW_BYTES) {
    if (key >= load<u32>(window)) countReached(window, key);
  }
}

@inline
function keysOf(x: v128, base: v128, factor: v128): v128 {
  return v128.and(f32x4.mul(f32x4.sub(x, base), factor), i32x4.splat(ABS));
}

@inline
function keyOf(x: usize, base: usize, c: f32): u32 {
  return reinterpret<u32>((singleOf(x) - singleOf(base)) * c) & ABS;
}
