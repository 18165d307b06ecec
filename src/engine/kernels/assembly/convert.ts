// Between stored dtypes and the f32 / f64 in which methods compute. Encoding rounds to nearest, ties to even, and writes
// one canonical NaN; decoding is exact.

import { brains, highSingles, lowSingles } from './lanes';

const F32_ABS: i32 = 0x7fffffff;
const F32_INFINITY: i32 = 0x7f800000;

export function decodeBF16(source: usize, target: usize, n: i32): void {
  let i = 0;
  do {
    const bits = v128.load(source);
    v128.store(target, lowSingles(bits));
    v128.store(target, highSingles(bits), 16);
    source += 16;
    target += 32;
    i += 8;
  } while (i < n);
}

@inline
function halfToSingle(half: v128): v128 {
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
  const magnitude = v128.and(half, i32x4.splat(0x7fff));
  // Read as an f32, the shifted bits are the value times 2^-112: one exact multiplication mends normals and subnormals.
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(reinterpret<f32>(0x77800000)));
  const special = i32x4.ge_u(magnitude, i32x4.splat(0x7c00));
  const infinite = v128.or(i32x4.shl(magnitude, 13), i32x4.splat(F32_INFINITY));
  return v128.or(sign, v128.bitselect(infinite, scaled, special));
}

export function decodeF16(source: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i += 8) {
    const bits = v128.load(source);
    v128.store(target, halfToSingle(i32x4.extend_low_i16x8_u(bits)));
    v128.store(target, halfToSingle(i32x4.extend_high_i16x8_u(bits)), 16);
    source += 16;
    target += 32;
  }
}

export function encodeBF16(source: usize, target: usize, n: i32): void {
  let i = 0;
  do {
    v128.store(target, brains(v128.load(source), v128.load(source, 16)));
    source += 32;
    target += 16;
    i += 8;
  } while (i < n);
}

@inline
function singleToHalf(x: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000));
  const magnitude = v128.and(x, i32x4.splat(F32_ABS));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  // Rebias the exponent (15 - 127) and round: adding 0xfff plus the last kept bit is round-half-even.
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(<i32>0xc8000fff)), odd), 13);
  // Below 2^-14 the addition of 0.5 aligns the value so that the FPU itself rounds at the subnormal's last bit.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  let half = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  half = v128.bitselect(i32x4.splat(0x7c00), half, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)));
  return v128.bitselect(v128.or(half, sign), i32x4.splat(0x7e00), f32x4.eq(x, x));
}

export function encodeF16(source: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i += 8) {
    const low = singleToHalf(v128.load(source));
    const high = singleToHalf(v128.load(source, 16));
    v128.store(target, i16x8.narrow_i32x4_u(low, high));
    source += 32;
    target += 16;
  }
}

export function encodeF32(source: usize, target: usize, n: i32): void {
  const nan = i32x4.splat(0x7fc00000);
  for (let i = 0; i < n; i += 4) {
    const x = v128.load(source);
    v128.store(target, v128.bitselect(x, nan, f32x4.eq(x, x)));
    source += 16;
    target += 16;
  }
}

export function encodeF64(source: usize, target: usize, n: i32): void {
  const nan = i64x2.splat(0x7ff8000000000000);
  for (let i = 0; i < n; i += 2) {
    const x = v128.load(source);
    v128.store(target, v128.bitselect(x, nan, f64x2.eq(x, x)));
    source += 16;
    target += 16;
  }
}

export function promote(source: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    v128.store(target, f64x2.promote_low_f32x4(v128.load64_zero(source)));
    source += 8;
    target += 16;
  }
}

export function demote(source: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    v128.store64_lane(target, f32x4.demote_f64x2_zero(v128.load(source)), 0);
    source += 16;
    target += 8;
  }
}

/** f64 to f32 rounded to odd: a later rounding to 16 bits then gives what one rounding from f64 would have given. */
export function demoteOdd(source: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = load<f64>(source);
    const nearest = <f32>x;
    let bits = reinterpret<u32>(nearest);
    if (<f64>nearest != x && x == x) {
      if (abs(<f64>nearest) > abs(x)) bits -= 1;
      bits |= 1;
    }
    store<u32>(target, bits);
    source += 8;
    target += 4;
  }
}
