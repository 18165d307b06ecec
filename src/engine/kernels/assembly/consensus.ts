// Sign election among task vectors (TIES, arXiv:2306.01708): votes in f64, in recipe order; an exact zero elects +.

export function voteF32(votes: usize, delta: usize, weight: f64, n: i32): void {
  const w = f64x2.splat(weight);
  for (let i = 0; i < n; i += 4) {
    const d = v128.load(delta);
    const low = f64x2.promote_low_f32x4(d);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(d, d, 2, 3, 0, 1));
    v128.store(votes, f64x2.add(v128.load(votes), f64x2.mul(low, w)));
    v128.store(votes, f64x2.add(v128.load(votes, 16), f64x2.mul(high, w)), 16);
    votes += 32;
    delta += 16;
  }
}

export function voteF64(votes: usize, delta: usize, weight: f64, n: i32): void {
  const w = f64x2.splat(weight);
  for (let i = 0; i < n; i += 2) {
    v128.store(votes, f64x2.add(v128.load(votes), f64x2.mul(v128.load(delta), w)));
    votes += 16;
    delta += 16;
  }
}

/**
 * Adds c * delta to `sum` and `weight` to `total` where the weighted delta has the elected sign. A zero never agrees; a
 * NaN always does, so that it is seen in the result instead of lost.
 */
export function addAgreeingF32(
  sum: usize,
  total: usize,
  delta: usize,
  votes: usize,
  c: f32,
  weight: f32,
  n: i32,
): void {
  const zero = f32x4.splat(0);
  const factor = f32x4.splat(c);
  const share = f32x4.splat(weight);
  const negative = i32x4.splat(weight < 0 ? -1 : 0);
  const zero64 = f64x2.splat(0);
  for (let i = 0; i < n; i += 4) {
    const d = v128.load(delta);
    const elected = v128.shuffle<i32>(
      f64x2.ge(v128.load(votes), zero64),
      f64x2.ge(v128.load(votes, 16), zero64),
      0,
      2,
      4,
      6,
    );
    const positive = v128.xor(f32x4.gt(d, zero), negative);
    const counted = v128.or(f32x4.ne(d, d), v128.andnot(f32x4.ne(d, zero), v128.xor(positive, elected)));
    v128.store(sum, f32x4.add(v128.load(sum), v128.and(f32x4.mul(d, factor), counted)));
    v128.store(total, f32x4.add(v128.load(total), v128.and(share, counted)));
    sum += 16;
    total += 16;
    delta += 16;
    votes += 32;
  }
}

export function addAgreeingF64(
  sum: usize,
  total: usize,
  delta: usize,
  votes: usize,
  c: f64,
  weight: f64,
  n: i32,
): void {
  const zero = f64x2.splat(0);
  const factor = f64x2.splat(c);
  const share = f64x2.splat(weight);
  const negative = i64x2.splat(weight < 0 ? -1 : 0);
  for (let i = 0; i < n; i += 2) {
    const d = v128.load(delta);
    const elected = f64x2.ge(v128.load(votes), zero);
    const positive = v128.xor(f64x2.gt(d, zero), negative);
    const counted = v128.or(f64x2.ne(d, d), v128.andnot(f64x2.ne(d, zero), v128.xor(positive, elected)));
    v128.store(sum, f64x2.add(v128.load(sum), v128.and(f64x2.mul(d, factor), counted)));
    v128.store(total, f64x2.add(v128.load(total), v128.and(share, counted)));
    sum += 16;
    total += 16;
    delta += 16;
    votes += 16;
  }
}

/** Divides by the agreeing weight; where no weight agreed (or they cancel to 0) the sum stays as it is. */
@inline
function divideByTotal<T>(sum: usize, total: usize, n: i32): void {
  const one = v128.splat<T>(<T>1);
  const zero = v128.splat<T>(<T>0);
  for (let i = 0; i < n; i += 16 / sizeof<T>()) {
    const t = v128.load(total);
    const divisor = v128.bitselect(one, t, v128.eq<T>(t, zero));
    v128.store(sum, v128.div<T>(v128.load(sum), divisor));
    sum += 16;
    total += 16;
  }
}

export function divideByTotalF32(sum: usize, total: usize, n: i32): void {
  divideByTotal<f32>(sum, total, n);
}
export function divideByTotalF64(sum: usize, total: usize, n: i32): void {
  divideByTotal<f64>(sum, total, n);
}
