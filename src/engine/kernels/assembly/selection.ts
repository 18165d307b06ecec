// Exact k-th magnitude of a task vector x - base by radix selection. The key of an element is the bits of the difference
// without its sign, which order as the magnitudes do (NaN above infinity). Each pass counts 16 bits of the keys that match
// the digits already found.

import { addLanes, bump, evenSingles, oddSingles, wovenBrains } from './lanes';

const F32_ABS: u32 = 0x7fffffff;
const F64_ABS: u64 = 0x7fffffffffffffff;

@inline
function keyF32(x: usize, base: usize): u32 {
  return reinterpret<u32>(load<f32>(x) - load<f32>(base)) & F32_ABS;
}

@inline
function keyF64(x: usize, base: usize): u64 {
  return reinterpret<u64>(load<f64>(x) - load<f64>(base)) & F64_ABS;
}

/** Counts bits 16..30 of every key. `counts` is u32[65536]. */
export function histogramHighF32(x: usize, base: usize, counts: usize, n: i32): void {
  const mask = i32x4.splat(0x7fff << 2);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    const bins = v128.and(i32x4.shr_u(delta, 14), mask);
    bump(counts + i32x4.extract_lane(bins, 0));
    bump(counts + i32x4.extract_lane(bins, 1));
    bump(counts + i32x4.extract_lane(bins, 2));
    bump(counts + i32x4.extract_lane(bins, 3));
    x += 16;
    base += 16;
  }
  for (; i < n; i++) {
    bump(counts + ((keyF32(x, base) >> 16) << 2));
    x += 4;
    base += 4;
  }
}

/** How many of these differences have a key above `key`. */
export function countAboveF32(deltas: usize, key: u32, n: i32): u32 {
  const abs = i32x4.splat(F32_ABS);
  const least = i32x4.splat(key);
  let lanes = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    lanes = i32x4.sub(lanes, i32x4.gt_s(v128.and(v128.load(deltas), abs), least));
    deltas += 16;
  }
  let above = addLanes(lanes);
  for (; i < n; i++) {
    above += u32((load<u32>(deltas) & F32_ABS) > key);
    deltas += 4;
  }
  return above;
}

/** The `rank`-th largest key of few differences, bit by bit: the largest key that so many of them reach. */
export function keyOfRankF32(deltas: usize, rank: u32, n: i32): u32 {
  let key: u32 = 0;
  for (let bit: u32 = 1 << 30; bit != 0; bit >>= 1) {
    if (countAboveF32(deltas, (key | bit) - 1, n) >= rank) key |= bit;
  }
  return key;
}

/** Counts the 16 bits at `shift` of the 63-bit keys whose bits above them are `prefix`. */
export function histogramF64(x: usize, base: usize, shift: i32, prefix: u64, counts: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const key = keyF64(x, base);
    const above = shift == 48 ? 0 : key >> (shift + 16);
    if (above == prefix) bump(counts + (<usize>((key >> shift) & 0xffff) << 2));
    x += 8;
    base += 8;
  }
}

/**
 * Turns x into the trimmed task vector: x - base where its key is above the threshold `key`, and for the first `quota`
 * elements equal to it, in index order; zero elsewhere. Returns what is left of the quota.
 */
export function trimF32(x: usize, base: usize, key: u32, quota: u32, n: i32): u32 {
  const abs = i32x4.splat(F32_ABS);
  const threshold = i32x4.splat(key);
  let i = 0;
  if (quota >= <u32>n) {
    // However many are equal, they fit into the quota: nobody needs to know where they are.
    let equals = i32x4.splat(0);
    for (; i + 4 <= n; i += 4) {
      const delta = f32x4.sub(v128.load(x), v128.load(base));
      const keys = v128.and(delta, abs);
      equals = i32x4.sub(equals, i32x4.eq(keys, threshold));
      v128.store(x, v128.and(delta, i32x4.ge_s(keys, threshold)));
      x += 16;
      base += 16;
    }
    quota -= addLanes(equals);
  }
  for (; i + 4 <= n && quota > 0; i += 4) {
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    const keys = v128.and(delta, abs);
    if (v128.any_true(i32x4.eq(keys, threshold))) {
      for (let lane = 0; lane < 16; lane += 4) quota = trimOneF32(x + lane, base + lane, key, quota);
    } else {
      v128.store(x, v128.and(delta, i32x4.gt_s(keys, threshold)));
    }
    x += 16;
    base += 16;
  }
  for (; i + 4 <= n; i += 4) {
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    v128.store(x, v128.and(delta, i32x4.gt_s(v128.and(delta, abs), threshold)));
    x += 16;
    base += 16;
  }
  for (; i < n; i++) {
    quota = trimOneF32(x, base, key, quota);
    x += 4;
    base += 4;
  }
  return quota;
}

@inline
function trimOneF32(x: usize, base: usize, key: u32, quota: u32): u32 {
  const delta = load<f32>(x) - load<f32>(base);
  const own = reinterpret<u32>(delta) & F32_ABS;
  const isTaken = own == key && quota > 0;
  store<f32>(x, own > key || isTaken ? delta : 0);
  return isTaken ? quota - 1 : quota;
}

/**
 * Turns `best` into the elementwise larger of itself and the task vector x - base, by magnitude; an equal one stays. A NaN is
 * larger than all, so that it is seen in the result.
 */
export function keepLargerF32(best: usize, x: usize, base: usize, n: i32): void {
  const abs = i32x4.splat(F32_ABS);
  for (let i = 0; i < n; i += 4) {
    const own = v128.load(best);
    const delta = f32x4.sub(v128.load(x), v128.load(base));
    const isLarger = i32x4.gt_s(v128.and(delta, abs), v128.and(own, abs));
    v128.store(best, v128.bitselect(delta, own, isLarger));
    best += 16;
    x += 16;
    base += 16;
  }
}

/** base + c times the larger of two task vectors' elements, from bf16 to bf16 as they are stored. */
export function addLargerPairBF16(output: usize, base: usize, x: usize, y: usize, c: f32, n: i32): void {
  const factor = f32x4.splat(c);
  let i = 0;
  do {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const even = withLarger(evenSingles(bases), evenSingles(xs), evenSingles(ys), factor);
    const odd = withLarger(oddSingles(bases), oddSingles(xs), oddSingles(ys), factor);
    v128.store(output, wovenBrains(even, odd));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
}

@inline
function withLarger(base: v128, x: v128, y: v128, factor: v128): v128 {
  const abs = i32x4.splat(F32_ABS);
  const deltaX = f32x4.sub(x, base);
  const deltaY = f32x4.sub(y, base);
  const isLarger = i32x4.gt_s(v128.and(deltaY, abs), v128.and(deltaX, abs));
  return f32x4.add(base, f32x4.mul(v128.bitselect(deltaY, deltaX, isLarger), factor));
}

export function keepLargerF64(best: usize, x: usize, base: usize, n: i32): void {
  const abs = i64x2.splat(F64_ABS);
  for (let i = 0; i < n; i += 2) {
    const own = v128.load(best);
    const delta = f64x2.sub(v128.load(x), v128.load(base));
    const isLarger = i64x2.gt_s(v128.and(delta, abs), v128.and(own, abs));
    v128.store(best, v128.bitselect(delta, own, isLarger));
    best += 16;
    x += 16;
    base += 16;
  }
}

/**
 * Clears the elements of a task vector whose key is above the threshold `key`, and the first `quota` elements equal to it, in
 * index order. Returns what is left of the quota.
 */
export function clearLargestF32(x: usize, key: u32, quota: u32, n: i32): u32 {
  const abs = i32x4.splat(F32_ABS);
  const threshold = i32x4.splat(key);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const delta = v128.load(x);
    const keys = v128.and(delta, abs);
    if (quota > 0 && v128.any_true(i32x4.eq(keys, threshold))) {
      for (let lane = 0; lane < 16; lane += 4) quota = clearOneF32(x + lane, key, quota);
    } else {
      v128.store(x, v128.andnot(delta, i32x4.gt_s(keys, threshold)));
    }
    x += 16;
  }
  for (; i < n; i++) {
    quota = clearOneF32(x, key, quota);
    x += 4;
  }
  return quota;
}

@inline
function clearOneF32(x: usize, key: u32, quota: u32): u32 {
  const own = load<u32>(x) & F32_ABS;
  const isCleared = own == key && quota > 0;
  if (own > key || isCleared) store<f32>(x, 0);
  return isCleared ? quota - 1 : quota;
}

export function clearLargestF64(x: usize, key: u64, quota: u32, n: i32): u32 {
  for (let i = 0; i < n; i++) {
    const own = load<u64>(x) & F64_ABS;
    const isCleared = own == key && quota > 0;
    if (own > key || isCleared) store<f64>(x, 0);
    if (isCleared) quota--;
    x += 8;
  }
  return quota;
}

export function trimF64(x: usize, base: usize, key: u64, quota: u32, n: i32): u32 {
  for (let i = 0; i < n; i++) {
    const delta = load<f64>(x) - load<f64>(base);
    const own = reinterpret<u64>(delta) & F64_ABS;
    const isTaken = own == key && quota > 0;
    store<f64>(x, own > key || isTaken ? delta : 0);
    if (isTaken) quota--;
    x += 8;
    base += 8;
  }
  return quota;
}
