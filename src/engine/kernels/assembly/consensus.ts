// Sign election among task vectors (TIES, arXiv:2306.01708). Votes and the shares of the divisor are summed in f64, in the
// order of the table; an exact zero elects +. A zero never agrees; a NaN always does, so that it is seen in the result
// instead of lost.
//
// The table has one entry of 32 bytes a model: the delta's address (u32 at 0), its coefficient (f32 at 4 or f64 at 24),
// the weight of its vote (f64 at 8) and its share of the divisor (f64 at 16).

const ENTRY_BYTES: usize = 32;

/**
 * output = base + sum' c_i d_i, divided by sum' share_i unless `negligible` is below 0. A divisor that is not above
 * `negligible` is what rounding left of weights that cancel: the sum then stays as it is.
 */
export function electF32(output: usize, base: usize, table: usize, models: i32, negligible: f64, n: i32): void {
  const zero = f32x4.splat(0);
  const zero64 = f64x2.splat(0);
  const least = f64x2.splat(negligible);
  const one = f64x2.splat(1);
  const end = table + <usize>models * ENTRY_BYTES;
  const bytes = <usize>n << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    let low = zero64;
    let high = zero64;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const d = v128.load(<usize>load<u32>(entry) + at);
      const vote = v128.load64_splat(entry, 8);
      low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(d), vote));
      high = f64x2.add(high, f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i32>(d, d, 2, 3, 0, 1)), vote));
    }
    const elected = v128.shuffle<i32>(f64x2.ge(low, zero64), f64x2.ge(high, zero64), 0, 2, 4, 6);
    let sum = zero;
    let total0 = zero64;
    let total1 = zero64;
    for (let entry = table; entry < end; entry += ENTRY_BYTES) {
      const d = v128.load(<usize>load<u32>(entry) + at);
      const share = v128.load64_splat(entry, 16);
      // The sign of share * d, compared with the elected one. Both halves of a splat have the same sign.
      const positive = v128.xor(f32x4.gt(d, zero), f64x2.lt(share, zero64));
      const counted = v128.or(f32x4.ne(d, d), v128.andnot(f32x4.ne(d, zero), v128.xor(positive, elected)));
      sum = f32x4.add(sum, v128.and(f32x4.mul(d, v128.load32_splat(entry, 4)), counted));
      total0 = f64x2.add(total0, v128.and(share, i64x2.extend_low_i32x4_s(counted)));
      total1 = f64x2.add(total1, v128.and(share, i64x2.extend_high_i32x4_s(counted)));
    }
    if (negligible >= 0) {
      const divisor0 = f32x4.demote_f64x2_zero(v128.bitselect(total0, one, f64x2.gt(f64x2.abs(total0), least)));
      const divisor1 = f32x4.demote_f64x2_zero(v128.bitselect(total1, one, f64x2.gt(f64x2.abs(total1), least)));
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
      const positive = v128.xor(f64x2.gt(d, zero), f64x2.lt(share, zero));
      const counted = v128.or(f64x2.ne(d, d), v128.andnot(f64x2.ne(d, zero), v128.xor(positive, elected)));
      sum = f64x2.add(sum, v128.and(f64x2.mul(d, v128.load64_splat(entry, 24)), counted));
      total = f64x2.add(total, v128.and(share, counted));
    }
    if (negligible >= 0) sum = f64x2.div(sum, v128.bitselect(total, one, f64x2.gt(f64x2.abs(total), least)));
    v128.store(output + at, f64x2.add(v128.load(base + at), sum));
  }
}
