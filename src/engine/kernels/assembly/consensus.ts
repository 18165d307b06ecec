// Sign election among task vectors (TIES, arXiv:2306.01708). Votes are summed in f64, in the order of the table; an exact
// zero elects +. A zero never agrees; a NaN always does, so that it is seen in the result instead of lost.
//
// The table has one entry of 40 bytes a model: the delta's address (u32 at 0), its coefficient (f32 at 4 or f64 at 24),
// the weight of its vote (f64 at 8), its share of the divisor (f64 at 16, f32 at 32), and the sign bit of its vote (u32 at 36).
// Entries of one sign have the same sign of the vote too.

const ENTRY_BYTES: usize = 40;
const SIGN: i32 = 0x80000000;

/** The sign bit of what four elements elect. */
@inline
function electSigns(table: usize, end: usize, at: usize): v128 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let entry = table; entry < end; entry += ENTRY_BYTES) {
    const delta = <usize>load<u32>(entry) + at;
    const vote = v128.load64_splat(entry, 8);
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta)), vote));
    high = f64x2.add(high, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta, 8)), vote));
  }
  const zero = f64x2.splat(0);
  const isPositive = v128.shuffle<i32>(f64x2.ge(low, zero), f64x2.ge(high, zero), 0, 2, 4, 6);
  return v128.andnot(i32x4.splat(SIGN), isPositive);
}

/** Lanes in which a delta has no say: zero, or of the other sign. A NaN has one. */
@inline
function isSilent(delta: v128, entry: usize, elected: v128): v128 {
  return f32x4.le(v128.xor(delta, v128.xor(elected, v128.load32_splat(entry, 36))), f32x4.splat(0));
}

/**
 * output = base + sum' c_i d_i, divided by sum' share_i unless `negligible` is below 0. All shares have the same sign: their
 * sum in f32 loses nothing to cancellation. A divisor that is not above `negligible` leaves the sum as it is.
 */
export function electF32(output: usize, base: usize, table: usize, models: i32, negligible: f32, n: i32): void {
  const zero = f32x4.splat(0);
  const zero64 = f64x2.splat(0);
  const least = f32x4.splat(negligible);
  const one = f32x4.splat(1);
  const sign = i32x4.splat(SIGN);
  const flip = v128.load32_splat(table, 36);
  const end = table + <usize>models * ENTRY_BYTES;
  const bytes = <usize>n << 2;
  for (let at: usize = 0; at < bytes; at += 32) {
    let v0 = zero64;
    let v1 = zero64;
    let v2 = zero64;
    let v3 = zero64;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const delta = <usize>load<u32>(entry) + at;
      const vote = v128.load64_splat(entry, 8);
      v0 = f64x2.add(v0, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta)), vote));
      v1 = f64x2.add(v1, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta, 8)), vote));
      v2 = f64x2.add(v2, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta, 16)), vote));
      v3 = f64x2.add(v3, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(delta, 24)), vote));
    }
    const isPositive0 = v128.shuffle<i32>(f64x2.ge(v0, zero64), f64x2.ge(v1, zero64), 0, 2, 4, 6);
    const isPositive1 = v128.shuffle<i32>(f64x2.ge(v2, zero64), f64x2.ge(v3, zero64), 0, 2, 4, 6);
    // A delta with the sign bit of the other side flipped is above zero where it agrees.
    const elected0 = v128.xor(v128.andnot(sign, isPositive0), flip);
    const elected1 = v128.xor(v128.andnot(sign, isPositive1), flip);
    let sum0 = zero;
    let sum1 = zero;
    let total0 = zero;
    let total1 = zero;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const delta = <usize>load<u32>(entry) + at;
      const coefficient = v128.load32_splat(entry, 4);
      const share = v128.load32_splat(entry, 32);
      const d0 = v128.load(delta);
      const d1 = v128.load(delta, 16);
      const silent0 = f32x4.le(v128.xor(d0, elected0), zero);
      const silent1 = f32x4.le(v128.xor(d1, elected1), zero);
      sum0 = f32x4.add(sum0, v128.andnot(f32x4.mul(d0, coefficient), silent0));
      sum1 = f32x4.add(sum1, v128.andnot(f32x4.mul(d1, coefficient), silent1));
      total0 = f32x4.add(total0, v128.andnot(share, silent0));
      total1 = f32x4.add(total1, v128.andnot(share, silent1));
    }
    if (negligible >= 0) {
      sum0 = f32x4.div(sum0, v128.bitselect(total0, one, f32x4.gt(f32x4.abs(total0), least)));
      sum1 = f32x4.div(sum1, v128.bitselect(total1, one, f32x4.gt(f32x4.abs(total1), least)));
    }
    v128.store(output + at, f32x4.add(v128.load(base + at), sum0));
    v128.store(output + at, f32x4.add(v128.load(base + at, 16), sum1), 16);
  }
}

/** The same for shares of both signs, whose sum needs f64. What rounding left of weights that cancel is negligible. */
export function electMixedF32(output: usize, base: usize, table: usize, models: i32, negligible: f64, n: i32): void {
  const least = f64x2.splat(negligible);
  const one = f64x2.splat(1);
  const end = table + <usize>models * ENTRY_BYTES;
  const bytes = <usize>n << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const elected = electSigns(table, end, at);
    let sum = f32x4.splat(0);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const delta = v128.load(<usize>load<u32>(entry) + at);
      const share = v128.load64_splat(entry, 16);
      const silent = isSilent(delta, entry, elected);
      sum = f32x4.add(sum, v128.andnot(f32x4.mul(delta, v128.load32_splat(entry, 4)), silent));
      low = f64x2.add(low, v128.andnot(share, i64x2.extend_low_i32x4_s(silent)));
      high = f64x2.add(high, v128.andnot(share, i64x2.extend_high_i32x4_s(silent)));
    }
    if (negligible >= 0) {
      const divisor0 = f32x4.demote_f64x2_zero(v128.bitselect(low, one, f64x2.gt(f64x2.abs(low), least)));
      const divisor1 = f32x4.demote_f64x2_zero(v128.bitselect(high, one, f64x2.gt(f64x2.abs(high), least)));
      sum = f32x4.div(sum, v128.shuffle<i32>(divisor0, divisor1, 0, 1, 4, 5));
    }
    v128.store(output + at, f32x4.add(v128.load(base + at), sum));
  }
}

export function electF64(output: usize, base: usize, table: usize, models: i32, negligible: f64, n: i32): void {
  const zero = f64x2.splat(0);
  const least = f64x2.splat(negligible);
  const one = f64x2.splat(1);
  const end = table + <usize>models * ENTRY_BYTES;
  const bytes = <usize>n << 3;
  for (let at: usize = 0; at < bytes; at += 16) {
    let votes = zero;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      votes = f64x2.add(votes, f64x2.mul(v128.load(<usize>load<u32>(entry) + at), v128.load64_splat(entry, 8)));
    }
    const elected = f64x2.ge(votes, zero);
    let sum = zero;
    let total = zero;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const d = v128.load(<usize>load<u32>(entry) + at);
      const share = v128.load64_splat(entry, 16);
      const positive = v128.xor(f64x2.gt(d, zero), i32x4.lt_s(v128.load32_splat(entry, 36), i32x4.splat(0)));
      const counted = v128.or(f64x2.ne(d, d), v128.andnot(f64x2.ne(d, zero), v128.xor(positive, elected)));
      sum = f64x2.add(sum, v128.and(f64x2.mul(d, v128.load64_splat(entry, 24)), counted));
      total = f64x2.add(total, v128.and(share, counted));
    }
    if (negligible >= 0) sum = f64x2.div(sum, v128.bitselect(total, one, f64x2.gt(f64x2.abs(total), least)));
    v128.store(output + at, f64x2.add(v128.load(base + at), sum));
  }
}
