// DELLA's masks (arXiv:2406.11617): the probability of keeping an element of a row grows with the rank of its magnitude. Ranks
// are exact, but few are needed: a histogram tells between which ranks an element lies, and its draw is nearly always below
// the probabilities of all of those, or above. Only where it is neither the rank itself is found, by counting the smaller
// elements or, where many are open (magnitudes that occur often), by sorting the row.
//
// Settings of a row: the probability of rank 0 (f64 at 0) and what it grows by from rank to rank (f64 at 8), both times 2^32;
// whether what is kept is divided by its probability (u32 at 16); the address of scratch memory (u32 at 20): 24 bytes an
// element, two tables of 2^16 bins and a little more; and the length of a row (u32 at 24). Ranks count from 0 for the smallest magnitude; of equal ones the
// lower index has the higher rank. The element of rank r is kept when its draw is below low + r step.

import { bump, highSingles, laneBits, lowSingles, singleOf } from './lanes';
import { isDrawn } from './random';
import { sortKeys } from './sort';

const ABS: u32 = 0x7fffffff;
/** Open elements that are counted one by one before sorting is cheaper. */
const MOST_OPEN: i32 = 64;
/** A histogram spans 2^4 octaves below the largest magnitude; what is smaller shares a bin, and zeros have one of their own. */
const OCTAVE_BITS: i32 = 4;

/** 2^32 times the probability of each rank. */
@inline
function limitOf(settings: usize, rank: i32): u32 {
  const limit = load<f64>(settings) + <f64>rank * load<f64>(settings, 8) + 0.5;
  return <u32>min<f64>(limit, 4294967295);
}

/** Turns one row x into what its mask leaves of the task vector x - base, divided by its probability if settings say so. */
export function keepRankedF32(
  x: usize,
  base: usize,
  draws: usize,
  settings: usize,
  key: u64,
  model: u32,
  first: f64,
): void {
  const n = load<i32>(settings, 24);
  const keys = <usize>load<u32>(settings, 20);
  const highest = storeKeys<f32>(keys, x, base, n);
  if (load<u32>(settings, 16) != 0) return scaleSorted(x, base, draws, settings, keys, key, model, first, n);
  const mask = placesBehind(keys, n) + maskOffset(n);
  markRanked(mask, draws, settings, keys, highest, key, model, first, n);
  keepMarked(x, base, mask, n);
}

/** Rows lie one behind the other: nothing behind the last element is touched. */
@inline
function keepMarked(x: usize, base: usize, mask: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const bits = laneBits(load<u8>(mask + (i >> 3)) >> <u8>(i & 4));
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    v128.store(x, v128.and(delta, bits));
    x += 16;
    base += 16;
  }
  for (; i < n; i++) {
    const isKept = (i32(load<u8>(mask + (i >> 3))) >> (i & 7)) & 1;
    store<f32>(x, isKept ? load<f32>(x) - load<f32>(base) : 0);
    x += 4;
    base += 4;
  }
}

/** The mask of one bit an element of one row of bf16 as they are stored. No zero is kept. */
export function rankMaskBF16(
  mask: usize,
  x: usize,
  base: usize,
  draws: usize,
  settings: usize,
  key: u64,
  model: u32,
  first: f64,
): void {
  const n = load<i32>(settings, 24);
  const keys = <usize>load<u32>(settings, 20);
  const highest = storeKeys<u16>(keys, x, base, n);
  markRanked(mask, draws, settings, keys, highest, key, model, first, n);
}

// Scratch memory of a row: keys (u32), the bin of each (u16), open elements (u32), a mask, then bins.

@inline
function placesBehind(keys: usize, n: i32): usize {
  return (keys + (<usize>n << 2) + 79) & ~15;
}

@inline
function maskOffset(n: i32): usize {
  return (<usize>n << 1) + 32 + (MOST_OPEN + 8) * 4;
}

@inline
function binsBehind(places: usize, n: i32): usize {
  return (places + maskOffset(n) + (<usize>n >> 3) + 31) & ~15;
}

/** All NaN are one key. */
const NAN: u32 = 0x7fc00000;

/** Stores the magnitudes' bits; returns the highest of them. */
@inline
function storeKeys<T>(keys: usize, x: usize, base: usize, n: i32): u32 {
  const abs = i32x4.splat(ABS);
  const nan = i32x4.splat(NAN);
  let highest = i32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    let key0: v128;
    let key1: v128;
    if (isFloat<T>()) {
      key0 = v128.and(f32x4.sub(v128.load(x), v128.load(base)), abs);
      key1 = v128.and(f32x4.sub(v128.load(x, 16), v128.load(base, 16)), abs);
    } else {
      const xs = v128.load(x);
      const bases = v128.load(base);
      key0 = v128.and(f32x4.sub(lowSingles(xs), lowSingles(bases)), abs);
      key1 = v128.and(f32x4.sub(highSingles(xs), highSingles(bases)), abs);
    }
    key0 = i32x4.min_s(key0, nan);
    key1 = i32x4.min_s(key1, nan);
    highest = i32x4.max_s(highest, i32x4.max_s(key0, key1));
    v128.store(keys, key0);
    v128.store(keys, key1, 16);
    x += 8 * sizeof<T>();
    base += 8 * sizeof<T>();
    keys += 32;
  }
  let most = max(
    max(i32x4.extract_lane(highest, 0), i32x4.extract_lane(highest, 1)),
    max(i32x4.extract_lane(highest, 2), i32x4.extract_lane(highest, 3)),
  );
  for (; i < n; i++) {
    const delta = isFloat<T>() ? load<f32>(x) - load<f32>(base) : singleOf(x) - singleOf(base);
    const own = min(reinterpret<u32>(delta) & ABS, NAN);
    most = max(most, <i32>own);
    store<u32>(keys, own);
    x += sizeof<T>();
    base += sizeof<T>();
    keys += 4;
  }
  return <u32>most;
}

/** Writes a row's mask. */
function markRanked(
  mask: usize,
  draws: usize,
  settings: usize,
  keys: usize,
  highest: u32,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
): void {
  const places = placesBehind(keys, n);
  const open = places + (<usize>n << 1) + 32;
  const bins = binsBehind(places, n);
  const bits = min(max(30 - clz(n), 6), 16);
  // One more bin than those of keys for zeros, and one more limit than bins.
  const count = ((1 << bits) + 8) & ~3;
  countBins(places, keys, bins, count, 23 + OCTAVE_BITS - bits, <i32>highest, bits, n);
  storeLimits(settings, bins, count);
  const left = markByBins(mask, draws, places, bins, open, n);
  if (left > MOST_OPEN) {
    const sorted = sortKeys(keys, bins, n);
    for (let rank = 0; rank < n; rank++) {
      const entry = sorted + (<usize>rank << 3);
      // Zeros come first, and are left out already.
      if (load<u32>(entry, 4) != 0) settle(mask, draws, settings, key, model, first, load<u32>(entry), rank);
    }
    return;
  }
  for (let at = 0; at < left; at++) {
    const i = load<u32>(open + (<usize>at << 2));
    settle(mask, draws, settings, key, model, first, i, rankOf(keys, i, n));
  }
}

/** Where each key's bin is, and how many are in each: in two tables in turn, so that equal keys need not wait for each other. */
@inline
function countBins(
  places: usize,
  keys: usize,
  bins: usize,
  count: i32,
  shift: i32,
  highest: i32,
  bits: i32,
  n: i32,
): void {
  const table = <usize>count << 2;
  const zero = i32x4.splat(0);
  const one = i32x4.splat(1);
  const origin = i32x4.splat((highest >> shift) - ((1 << bits) - 1));
  memory.fill(bins, 0, 2 * table);
  // Keys behind the last one are read too; their bins are overwritten below.
  for (let i = 0; i < n; i += 8) {
    const key0 = v128.load(keys + (<usize>i << 2));
    const key1 = v128.load(keys + (<usize>i << 2), 16);
    const place0 = i32x4.add(i32x4.max_s(i32x4.sub(i32x4.shr_u(key0, shift), origin), zero), one);
    const place1 = i32x4.add(i32x4.max_s(i32x4.sub(i32x4.shr_u(key1, shift), origin), zero), one);
    const own0 = v128.andnot(place0, i32x4.eq(key0, zero));
    const own1 = v128.andnot(place1, i32x4.eq(key1, zero));
    v128.store(places + (<usize>i << 1), i16x8.narrow_i32x4_u(own0, own1));
  }
  v128.store(places + (<usize>n << 1), zero);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const four = load<u64>(places + (<usize>i << 1));
    bump(bins + (<usize>(four & 0xffff) << 2));
    bump(bins + table + (<usize>((four >> 16) & 0xffff) << 2));
    bump(bins + (<usize>((four >> 32) & 0xffff) << 2));
    bump(bins + table + (<usize>(four >> 48) << 2));
  }
  for (; i < n; i++) bump(bins + (<usize>load<u16>(places + (<usize>i << 1)) << 2));
}

/**
 * Turns counts into the leading 16 bits of the limits of a bin's lowest rank, and above them those of the next bin's lowest.
 */
@inline
function storeLimits(settings: usize, bins: usize, count: i32): void {
  const table = <usize>count << 2;
  let rank: u32 = 0;
  for (let at = bins; at < bins + table; at += 4) {
    const members = load<u32>(at) + load<u32>(at + table);
    store<u32>(at, rank);
    rank += members;
  }
  const low = f64x2.splat(load<f64>(settings));
  const step = f64x2.splat(load<f64>(settings, 8));
  store<u32>(bins + table, rank);
  let here = leadingLimits(v128.load(bins), low, step);
  for (let at = bins; at < bins + table; at += 16) {
    const next = leadingLimits(v128.load(at, 16), low, step);
    v128.store(at, v128.or(here, i32x4.shl(v128.shuffle<i32>(here, next, 1, 2, 3, 4), 16)));
    here = next;
  }
}

@inline
function leadingLimits(ranks: v128, low: v128, step: v128): v128 {
  const first = leadingLimit(f64x2.convert_low_i32x4_s(ranks), low, step);
  const second = leadingLimit(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(ranks, ranks, 2, 3, 0, 1)), low, step);
  return v128.shuffle<i32>(first, second, 0, 1, 4, 5);
}

@inline
function leadingLimit(rank: v128, low: v128, step: v128): v128 {
  const limit = f64x2.add(f64x2.add(low, f64x2.mul(rank, step)), f64x2.splat(0.5));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.mul(limit, f64x2.splat(1 / 65536.0)), f64x2.splat(65535)));
}

/** Marks the elements that may be kept, of which no zero is, and lists those of which the bin does not tell; of those it counts one too many at most. */
@inline
function markByBins(mask: usize, draws: usize, places: usize, bins: usize, open: usize, n: i32): i32 {
  const lower = i32x4.splat(0xffff);
  const zero = i16x8.splat(0);
  let count = 0;
  for (let i = 0; i < n; i += 8) {
    const limits0 = limitsOf(load<u64>(places), bins);
    const limits1 = limitsOf(load<u64>(places, 8), bins);
    const draw = v128.load(draws);
    const least = i16x8.narrow_i32x4_u(v128.and(limits0, lower), v128.and(limits1, lower));
    const most = i16x8.narrow_i32x4_u(i32x4.shr_u(limits0, 16), i32x4.shr_u(limits1, 16));
    const isZero = i16x8.eq(v128.load(places), zero);
    const isLeft = v128.andnot(i16x8.eq(i16x8.sub_sat_u(draw, most), zero), isZero);
    const isOpen = v128.and(isLeft, i16x8.eq(i16x8.sub_sat_u(least, draw), zero));
    store<u8>(mask, <u8>i8x16.bitmask(i8x16.narrow_i16x8_s(isLeft, zero)));
    for (let lanes = i8x16.bitmask(i8x16.narrow_i16x8_s(isOpen, zero)); lanes != 0; lanes &= lanes - 1) {
      store<u32>(open + (<usize>min(count, MOST_OPEN) << 2), i + ctz(lanes));
      count++;
    }
    mask += 1;
    draws += 16;
    places += 16;
  }
  return count;
}

/** The limits of four bins. */
@inline
function limitsOf(places: u64, bins: usize): v128 {
  let limits = v128.load32_zero(bins + (<usize>(places & 0xffff) << 2));
  limits = v128.load_lane<u32>(bins + (<usize>((places >> 16) & 0xffff) << 2), limits, 1);
  limits = v128.load_lane<u32>(bins + (<usize>((places >> 32) & 0xffff) << 2), limits, 2);
  return v128.load_lane<u32>(bins + (<usize>(places >> 48) << 2), limits, 3);
}

/** Elements that are smaller, or as large and at a higher index. */
function rankOf(keys: usize, i: u32, n: i32): i32 {
  const own = <i32>load<u32>(keys + (<usize>i << 2));
  const owns = i32x4.splat(own);
  let smaller = i32x4.splat(0);
  let j = 0;
  for (; j + 4 <= <i32>i; j += 4) {
    smaller = i32x4.sub(smaller, i32x4.lt_s(v128.load(keys + (<usize>j << 2)), owns));
  }
  let rank = 0;
  for (; j < <i32>i; j++) rank += i32(<i32>load<u32>(keys + (<usize>j << 2)) < own);
  for (j++; j + 4 <= n; j += 4) {
    smaller = i32x4.sub(smaller, i32x4.le_s(v128.load(keys + (<usize>j << 2)), owns));
  }
  for (; j < n; j++) rank += i32(<i32>load<u32>(keys + (<usize>j << 2)) <= own);
  return (
    rank +
    i32x4.extract_lane(smaller, 0) +
    i32x4.extract_lane(smaller, 1) +
    (i32x4.extract_lane(smaller, 2) + i32x4.extract_lane(smaller, 3))
  );
}

/** Marks an element whose rank is known. */
@inline
function settle(
  mask: usize,
  draws: usize,
  settings: usize,
  key: u64,
  model: u32,
  first: f64,
  i: u32,
  rank: i32,
): void {
  const at = mask + <usize>(i >> 3);
  const draw = <u32>load<u16>(draws + (<usize>i << 1));
  const isKept = isDrawn(draw, limitOf(settings, rank), key, model, first + <f64>i);
  const bit = i & 7;
  store<u8>(at, <u8>((<u32>load<u8>(at) & ~(1 << bit)) | (u32(isKept) << bit)));
}

/** Keeps what the ranks of a sorted row keep of a task vector, and divides it by its probability. */
function scaleSorted(
  x: usize,
  base: usize,
  draws: usize,
  settings: usize,
  keys: usize,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
): void {
  const sorted = sortKeys(keys, binsBehind(placesBehind(keys, n), n), n);
  for (let rank = 0; rank < n; rank++) {
    const i = load<u32>(sorted + (<usize>rank << 3));
    const at = <usize>i << 2;
    const limit = limitOf(settings, rank);
    const isKept = isDrawn(<u32>load<u16>(draws + (<usize>i << 1)), limit, key, model, first + <f64>i);
    const delta = load<f32>(x + at) - load<f32>(base + at);
    store<f32>(x + at, isKept && delta != 0 ? <f32>(<f64>delta * (4294967296.0 / <f64>limit)) : 0);
  }
}
