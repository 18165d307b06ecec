// Exact k-th magnitude by radix selection. The key of an element is its bits without the sign, which order as the
// magnitudes do (NaN above infinity). Each pass counts 16 bits of the keys that match the digits already found.

/** Counts bits 16..30 of every key. `counts` is u32[65536]. */
export function histogramHighF32(x: usize, counts: usize, n: i32): void {
  const mask = i32x4.splat(0x7fff);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const bins = i32x4.shl(v128.and(i32x4.shr_u(v128.load(x), 16), mask), 2);
    bump(counts + i32x4.extract_lane(bins, 0));
    bump(counts + i32x4.extract_lane(bins, 1));
    bump(counts + i32x4.extract_lane(bins, 2));
    bump(counts + i32x4.extract_lane(bins, 3));
    x += 16;
  }
  for (; i < n; i++) {
    bump(counts + (((load<u32>(x) >> 16) & 0x7fff) << 2));
    x += 4;
  }
}

@inline
function bump(slot: usize): void {
  store<u32>(slot, load<u32>(slot) + 1);
}

/** Counts bits 0..15 of the keys whose upper bits are `high`. */
export function histogramLowF32(x: usize, high: u32, counts: usize, n: i32): void {
  const wanted = i32x4.splat(high);
  const mask = i32x4.splat(0x7fff);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const bits = v128.load(x);
    if (v128.any_true(i32x4.eq(v128.and(i32x4.shr_u(bits, 16), mask), wanted))) {
      for (let lane = 0; lane < 4; lane++) countLow(load<u32>(x + (lane << 2)), high, counts);
    }
    x += 16;
  }
  for (; i < n; i++) {
    countLow(load<u32>(x), high, counts);
    x += 4;
  }
}

@inline
function countLow(bits: u32, high: u32, counts: usize): void {
  if (((bits >> 16) & 0x7fff) == high) bump(counts + ((bits & 0xffff) << 2));
}

/** Counts the 16 bits at `shift` of the 63-bit keys whose bits above them are `prefix`. */
export function histogramF64(x: usize, shift: i32, prefix: u64, counts: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const key = load<u64>(x) & 0x7fffffffffffffff;
    const above = shift == 48 ? 0 : key >> (shift + 16);
    if (above == prefix) bump(counts + (<usize>((key >> shift) & 0xffff) << 2));
    x += 8;
  }
}

/**
 * Zeroes what is below the threshold `key` and, of those equal to it, all but the first `quota` in index order.
 * Returns what is left of the quota.
 */
export function keepLargestF32(x: usize, key: u32, quota: u32, n: i32): u32 {
  const abs = i32x4.splat(0x7fffffff);
  const threshold = i32x4.splat(key);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const value = v128.load(x);
    const keys = v128.and(value, abs);
    if (v128.any_true(i32x4.eq(keys, threshold))) {
      for (let lane = 0; lane < 4; lane++) quota = keepOneF32(x + (lane << 2), key, quota);
    } else {
      v128.store(x, v128.and(value, i32x4.gt_s(keys, threshold)));
    }
    x += 16;
  }
  for (; i < n; i++) {
    quota = keepOneF32(x, key, quota);
    x += 4;
  }
  return quota;
}

@inline
function keepOneF32(x: usize, key: u32, quota: u32): u32 {
  const own = load<u32>(x) & 0x7fffffff;
  if (own > key) return quota;
  if (own == key && quota > 0) return quota - 1;
  store<u32>(x, 0);
  return quota;
}

export function keepLargestF64(x: usize, key: u64, quota: u32, n: i32): u32 {
  for (let i = 0; i < n; i++) {
    const own = load<u64>(x) & 0x7fffffffffffffff;
    if (own == key && quota > 0) quota--;
    else if (own <= key) store<u64>(x, 0);
    x += 8;
  }
  return quota;
}
