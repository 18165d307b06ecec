// DELLA's masks (arXiv:2406.11617): the probability of keeping an element of a row grows with the rank of its magnitude. Ranks
// are exact, but few are needed: a histogram tells between which ranks an element lies, and its draw is nearly always below
// the probabilities of all of those, or above. Only where it is neither the rank itself is found, by counting the smaller
// elements or, where many are open (magnitudes that occur often), by sorting the row.

import { bump } from './lanes';
import { isDrawn } from './random';

const ABS: u32 = 0x7fffffff;
/** Open elements that are counted one by one before sorting is cheaper. */
const MOST_OPEN: i32 = 64;
/** A histogram spans 2^4 octaves below the largest magnitude; what is smaller shares the first bin. */
const OCTAVE_BITS: i32 = 4;
const DIGIT_BITS: i32 = 11;
const DIGITS: i32 = 1 << DIGIT_BITS;

/** 2^32 times the probability of each rank: `low` and `step` are at the start of the settings. */
@inline
function limitOf(settings: usize, rank: i32): u32 {
  const limit = load<f64>(settings) + <f64>rank * load<f64>(settings, 8) + 0.5;
  return <u32>min<f64>(limit, 4294967295);
}

/**
 * Turns one row x into what a mask leaves of its task vector x - base. Ranks count from 0 for the smallest magnitude; of equal
 * ones the lower index has the higher rank. The element of rank r is kept when its draw is below low + r step, and then
 * divided by that probability if `isScaled`. Settings: low (f64 at 0), step (f64 at 8), both times 2^32, isScaled (u32 at 16), the
 * address of scratch memory (u32 at 20): 20 bytes an element, 256 KiB of bins and a little more.
 */
export function keepRankedF32(
  x: usize,
  base: usize,
  draws: usize,
  settings: usize,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
): void {
  const keys = <usize>load<u32>(settings, 20);
  const highest = storeDeltas(x, base, keys, n);
  const open = keys + (<usize>n << 2);
  const bins = open + <usize>(MOST_OPEN + 1) * 4;
  const isScaled = load<u32>(settings, 16) != 0;
  let count = MOST_OPEN + 1;
  if (!isScaled) count = keepByBins(x, draws, settings, keys, open, bins, highest, n);
  if (count > MOST_OPEN) {
    const sorted = sortKeys(keys, bins, n);
    for (let rank = 0; rank < n; rank++) {
      const i = load<u32>(sorted + (<usize>rank << 3));
      settle(x, draws, settings, key, model, first, i, rank, isScaled);
    }
    return;
  }
  for (let at = 0; at < count; at++) {
    const i = load<u32>(open + (<usize>at << 2));
    settle(x, draws, settings, key, model, first, i, rankOf(keys, i, n), false);
  }
}

/** Stores the task vector in place of x and the magnitudes' bits at `keys`; returns the highest of them. */
function storeDeltas(x: usize, base: usize, keys: usize, n: i32): u32 {
  const abs = i32x4.splat(ABS);
  let highest = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    const own = v128.and(delta, abs);
    highest = i32x4.max_s(highest, own);
    v128.store(x, delta);
    v128.store(keys, own);
    x += 16;
    base += 16;
    keys += 16;
  }
  let most = max(
    max(i32x4.extract_lane(highest, 0), i32x4.extract_lane(highest, 1)),
    max(i32x4.extract_lane(highest, 2), i32x4.extract_lane(highest, 3)),
  );
  for (; i < n; i++) {
    const delta = load<f32>(x) - load<f32>(base);
    const own = reinterpret<u32>(delta) & ABS;
    most = max(most, <i32>own);
    store<f32>(x, delta);
    store<u32>(keys, own);
    x += 4;
    base += 4;
    keys += 4;
  }
  return <u32>most;
}

/** Clears the elements that are surely dropped, and lists those of which the bin does not tell: at most one too many. */
function keepByBins(
  x: usize,
  draws: usize,
  settings: usize,
  keys: usize,
  open: usize,
  bins: usize,
  highest: u32,
  n: i32,
): i32 {
  const bits = min(max(30 - clz(n), 6), 16);
  const shift = 23 + OCTAVE_BITS - bits;
  const origin = <i32>(highest >> shift) - ((1 << bits) - 1);
  const origins = i32x4.splat(origin);
  const zero = i32x4.splat(0);
  memory.fill(bins, 0, <usize>4 << bits);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = i32x4.shl(
      i32x4.max_s(i32x4.sub(i32x4.shr_u(v128.load(keys + (<usize>i << 2)), shift), origins), zero),
      2,
    );
    bump(bins + i32x4.extract_lane(at, 0));
    bump(bins + i32x4.extract_lane(at, 1));
    bump(bins + i32x4.extract_lane(at, 2));
    bump(bins + i32x4.extract_lane(at, 3));
  }
  for (; i < n; i++) bump(bins + binOf(load<u32>(keys + (<usize>i << 2)), shift, origin));
  storeLimits(settings, bins, 1 << bits);
  let count = 0;
  for (i = 0; i < n; i++) {
    const own = load<u32>(keys + (<usize>i << 2));
    const limits = load<u32>(bins + binOf(own, shift, origin));
    const draw = <u32>load<u16>(draws + (<usize>i << 1));
    const mayStay = i32(draw <= limits >> 16) & i32(own != 0);
    const at = x + (<usize>i << 2);
    store<u32>(at, load<u32>(at) & -mayStay);
    store<u32>(open + (<usize>min(count, MOST_OPEN) << 2), i);
    count += mayStay & i32(draw >= (limits & 0xffff));
  }
  return min(count, MOST_OPEN + 1);
}

@inline
function binOf(key: u32, shift: i32, origin: i32): usize {
  return <usize>max(<i32>(key >> shift) - origin, 0) << 2;
}

/** Turns counts into the leading 16 bits of the limits of a bin's lowest rank, and of the next bin's lowest. */
function storeLimits(settings: usize, bins: usize, count: i32): void {
  const low = load<f64>(settings);
  const step = load<f64>(settings, 8);
  let rank = 0;
  let limit = <u32>min<f64>((low + 0.5) / 65536, 65535);
  for (let bin = 0; bin < count; bin++) {
    const members = load<u32>(bins);
    if (members != 0) {
      rank += members;
      const next = <u32>min<f64>((low + <f64>rank * step + 0.5) / 65536, 65535);
      store<u32>(bins, limit | (next << 16));
      limit = next;
    }
    bins += 4;
  }
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

/** Keeps or clears an element whose rank is known. One that is cleared already stays so. */
@inline
function settle(
  x: usize,
  draws: usize,
  settings: usize,
  key: u64,
  model: u32,
  first: f64,
  i: u32,
  rank: i32,
  isScaled: bool,
): void {
  const at = x + (<usize>i << 2);
  const limit = limitOf(settings, rank);
  const isKept = isDrawn(<u32>load<u16>(draws + (<usize>i << 1)), limit, key, model, first + <f64>i);
  const delta = load<f32>(at);
  if (!isKept || delta == 0) store<f32>(at, 0);
  else if (isScaled) store<f32>(at, <f32>(<f64>delta * (4294967296.0 / <f64>limit)));
}

/**
 * Sorts a row by radix: entries of index (u32) and key (u32), the smallest first, of equal ones the highest index first.
 * `scratch` has room for three histograms and twice the entries. Returns where they are.
 */
function sortKeys(keys: usize, scratch: usize, n: i32): usize {
  const table = <usize>DIGITS << 2;
  memory.fill(scratch, 0, 3 * table);
  let from = (scratch + 3 * table + 7) & ~7;
  let to = from + (<usize>n << 3);
  let entry = from;
  for (let i = n - 1; i >= 0; i--) {
    const key = load<u32>(keys + (<usize>i << 2));
    store<u32>(entry, i);
    store<u32>(entry, key, 4);
    bump(scratch + (<usize>(key & (DIGITS - 1)) << 2));
    bump(scratch + table + (<usize>((key >> DIGIT_BITS) & (DIGITS - 1)) << 2));
    bump(scratch + 2 * table + (<usize>(key >> (2 * DIGIT_BITS)) << 2));
    entry += 8;
  }
  for (let digit = 0; digit < 3; digit++) {
    const starts = scratch + <usize>digit * table;
    const shift = digit * DIGIT_BITS;
    const some = starts + (<usize>((load<u32>(from, 4) >> shift) & (DIGITS - 1)) << 2);
    if (load<u32>(some) == <u32>n) continue;
    let before: u32 = 0;
    for (let slot = starts; slot < starts + table; slot += 4) {
      const members = load<u32>(slot);
      store<u32>(slot, before);
      before += members;
    }
    for (let at = from; at < from + (<usize>n << 3); at += 8) {
      const slot = starts + (<usize>((load<u32>(at, 4) >> shift) & (DIGITS - 1)) << 2);
      const place = load<u32>(slot);
      store<u32>(slot, place + 1);
      store<u64>(to + (<usize>place << 3), load<u64>(at));
    }
    const swapped = from;
    from = to;
    to = swapped;
  }
  return from;
}
