// How often each key of a window occurs, a key being the bits of |x - base| as in selection.ts.
//
// A window may be wide, and hardly any of its keys occurs. So its counters (u32) lie in pages of 64, and a page is zeroed
// when the first of its keys is met. Before the pages lies a directory: how many keys were counted in each (u32, zero at
// first).

import { addLanes, highSingles, lowSingles, singleOf } from './lanes';

const ABS: i32 = 0x7fffffff;

/**
 * Counts each key from `low` to below `low + width`, and returns how many are above those. The first and the last key are
 * counted in lanes: differences of 16-bit floats are often equal, and a window that ends at keys of a sample ends at the
 * frequent ones.
 */
export function countWindowF32(x: usize, base: usize, low: u32, width: u32, counts: usize, n: i32): u32 {
  return countWindow<f32>(x, base, low, width, counts, 0, n);
}

/** The same of bf16 as they are stored. */
export function countWindowBF16(x: usize, base: usize, low: u32, width: u32, counts: usize, n: i32): u32 {
  return countWindow<u16>(x, base, low, width, counts, 0, n);
}

/**
 * The same, and those of a second, higher window that hardly any key reaches: `tail` is its entry.
 */
export function countBandBF16(
  x: usize,
  base: usize,
  low: u32,
  width: u32,
  counts: usize,
  tail: usize,
  n: i32,
): u32 {
  return countWindow<u16>(x, base, low, width, counts, tail, n);
}

/** The same of values whose keys are scattered: few fall into the window, and hardly two of those are equal. */
export function countScatteredF32(x: usize, low: u32, width: u32, counts: usize, n: i32): u32 {
  const abs = i32x4.splat(ABS);
  const before = i32x4.splat(low - 1);
  const last = i32x4.splat(low + width - 1);
  const pages = pagesBehind(counts, width);
  let above = i32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const keys0 = v128.and(v128.load(x), abs);
    const keys1 = v128.and(v128.load(x, 16), abs);
    const isAbove0 = i32x4.gt_s(keys0, last);
    const isAbove1 = i32x4.gt_s(keys1, last);
    above = i32x4.sub(above, i32x4.add(isAbove0, isAbove1));
    const isInside0 = v128.andnot(i32x4.gt_s(keys0, before), isAbove0);
    const isInside1 = v128.andnot(i32x4.gt_s(keys1, before), isAbove1);
    if (v128.any_true(v128.or(isInside0, isInside1))) {
      let lanes = i16x8.bitmask(i16x8.narrow_i32x4_s(isInside0, isInside1));
      for (; lanes != 0; lanes &= lanes - 1) {
        const key = load<u32>(x + (<usize>ctz(lanes) << 2)) & ABS;
        count(counts, pages, key - low, 1);
      }
    }
    x += 32;
  }
  let found = addLanes(above);
  for (; i < n; i++) {
    const key = load<u32>(x) & ABS;
    if (key >= low + width) found++;
    else if (key >= low) count(counts, pages, key - low, 1);
    x += 4;
  }
  return found;
}

/** Elements between two readings of lanes of 16 bits. */
const RUN: i32 = 65_536;

@inline
function countWindow<T>(
  x: usize,
  base: usize,
  low: u32,
  width: u32,
  counts: usize,
  tail: usize,
  n: i32,
): u32 {
  const zero = i16x8.splat(0);
  const abs = i32x4.splat(ABS);
  const high = low + width - 1;
  const first = i32x4.splat(low);
  const last = i32x4.splat(high);
  const pages = pagesBehind(counts, width);
  const beforeTail = i32x4.splat(tail == 0 ? 0 : load<u32>(tail) - 1);
  const whole = n & ~7;
  let found: u32 = 0;
  let i = 0;
  while (i < whole) {
    const end = min(whole, i + RUN);
    let above = zero;
    let atFirst = zero;
    let atLast = zero;
    do {
      let delta0: v128;
      let delta1: v128;
      if (isFloat<T>()) {
        delta0 = f32x4.sub(v128.load(x), v128.load(base));
        delta1 = f32x4.sub(v128.load(x, 16), v128.load(base, 16));
      } else {
        const xs = v128.load(x);
        const bases = v128.load(base);
        delta0 = f32x4.sub(lowSingles(xs), lowSingles(bases));
        delta1 = f32x4.sub(highSingles(xs), highSingles(bases));
      }
      const keys0 = v128.and(delta0, abs);
      const keys1 = v128.and(delta1, abs);
      const fromFirst = distances(keys0, keys1, first);
      const fromLast = distances(keys0, keys1, last);
      atFirst = i16x8.sub(atFirst, i16x8.eq(fromFirst, zero));
      atLast = i16x8.sub(atLast, i16x8.eq(fromLast, zero));
      above = i16x8.sub(above, i16x8.gt_s(fromLast, zero));
      for (let lanes = between(fromFirst, fromLast); lanes != 0; lanes &= lanes - 1) {
        const at = <usize>(ctz(lanes) >> 1) * sizeof<T>();
        count(counts, pages, keyOf<T>(x + at, base + at) - low, 1);
      }
      if (tail != 0) {
        const isHigh = i16x8.narrow_i32x4_s(i32x4.gt_s(keys0, beforeTail), i32x4.gt_s(keys1, beforeTail));
        for (let lanes = i8x16.bitmask(isHigh) & 0xaaaa; lanes != 0; lanes &= lanes - 1) {
          const at = <usize>(ctz(lanes) >> 1) * sizeof<T>();
          countReached(tail, keyOf<T>(x + at, base + at));
        }
      }
      x += 8 * sizeof<T>();
      base += 8 * sizeof<T>();
      i += 8;
    } while (i < end);
    found += addShorts(above);
    count(counts, pages, 0, addShorts(atFirst));
    if (width > 1) count(counts, pages, width - 1, addShorts(atLast));
  }
  for (; i < n; i++) {
    const key = keyOf<T>(x, base);
    if (key > high) found++;
    else if (key >= low) count(counts, pages, key - low, 1);
    if (tail != 0 && key >= load<u32>(tail)) countReached(tail, key);
    x += sizeof<T>();
    base += sizeof<T>();
  }
  return found;
}

/** How far eight keys are above one, in lanes of 16 bits: saturated, they keep their signs. */
@inline
export function distances(keys0: v128, keys1: v128, key: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.sub(keys0, key), i32x4.sub(keys1, key));
}

/** The keys above the first and below the last: at places 2 i + 1, a bit for each. */
@inline
export function between(fromFirst: v128, fromLast: v128): i32 {
  const isBetween = v128.andnot(fromLast, i16x8.sub_sat_s(fromFirst, i16x8.splat(1)));
  return i8x16.bitmask(isBetween) & 0xaaaa;
}

// A window as an entry of 24 bytes: its lowest key, its width, where its counters lie (u32 each), and how many keys were above
// it so far (u64 at 16).

/** Counts a key in a window that it may lie in; returns whether it does. */
export function countInside(window: usize, key: u32): bool {
  const slot = key - load<u32>(window);
  const width = load<u32>(window, 4);
  const counts = <usize>load<u32>(window, 8);
  if (slot >= width) return false;
  count(counts, pagesBehind(counts, width), slot, 1);
  return true;
}

/** Counts a key that is not below a window. */
export function countReached(window: usize, key: u32): void {
  if (!countInside(window, key)) store<u64>(window, load<u64>(window, 16) + 1, 16);
}

@inline
function keyOf<T>(x: usize, base: usize): u32 {
  const delta = isFloat<T>() ? load<f32>(x) - load<f32>(base) : singleOf(x) - singleOf(base);
  return reinterpret<u32>(delta) & ABS;
}

/** Where the first page lies. */
@inline
export function pagesBehind(counts: usize, width: u32): usize {
  return counts + (<usize>((width + 63) >> 6) << 2);
}

@inline
export function count(counts: usize, pages: usize, slot: u32, times: u32): void {
  if (times == 0) return;
  const entry = counts + (<usize>(slot >> 6) << 2);
  const counted = load<u32>(entry);
  if (counted == 0) memory.fill(pages + (<usize>(slot & ~63) << 2), 0, 256);
  store<u32>(entry, counted + times);
  const counter = pages + (<usize>slot << 2);
  store<u32>(counter, load<u32>(counter) + times);
}

/** The sum of eight u16. */
@inline
export function addShorts(x: v128): u32 {
  return addLanes(i32x4.extadd_pairwise_i16x8_u(x));
}
