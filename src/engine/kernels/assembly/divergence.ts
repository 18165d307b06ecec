// Kullback-Leibler divergence of the softmax of two rows, in f64 throughout. Between a model and its fine-tune nearly all of
// sum p ln(p / q) cancels, so what cancels is never formed: e^y is kept as its difference from e^x, the shares' difference
// follows from those, and as p and q have the same sum, the terms are p ln(p / q) - p + q, none of which is negative.
// Exponential and logarithm are spelled out, as the scalar twin and every machine must give the same bits.

import { high, low, lowSingles } from './lanes';

/** Above this a 53-bit significand holds no fraction: adding it rounds to an integer, found in the low bits. */
const ROUNDER: f64 = 6755399441055744;
const LOG2_E: f64 = 1.4426950408889634;
/** ln 2 in two parts; products of the first with small integers are exact. */
const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
/** Further from 0 than this, e^x would be no f64. */
const FURTHEST: f64 = 700;
/** Rows whose exponentials add up to less or more are measured from their largest element. */
const LEAST_SUM: f64 = 1e-100;
const MOST_SUM: f64 = 1e100;
/** The bits of 1 / sqrt 2. */
const SQRT_HALF_BITS: i64 = 0x3fe6a09e667f3bcd;
/** Keeps the logarithm of an empty share finite (MergeKit's constant). */
const EPSILON: f64 = 1e-8;
/** Differences up to this leave the series of e^x - 1 after x^5 with a relative error of 2e-12. */
const CLOSE: f64 = 0.015625;
/** Up to this (q - p) / (p + q) two terms of the logarithm's series beyond the first leave 4e-12. */
const NEAR: f64 = 0.0078125;

/** e^x of every bf16, by its bits; filled when somebody first asks. */
const TABLE = memory.data(524288, 16);
let isFilled = false;

/** e^x: 2^k e^r with |r| <= ln 2 / 2, the series of e^r up to r^9 (1e-11). */
@inline
function exp(x: v128): v128 {
  const y = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-FURTHEST)), f64x2.splat(FURTHEST));
  const shifted = f64x2.add(f64x2.mul(y, f64x2.splat(LOG2_E)), f64x2.splat(ROUNDER));
  const k = f64x2.sub(shifted, f64x2.splat(ROUNDER));
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(k, f64x2.splat(LN2_HIGH))), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  let sum = f64x2.splat(1.0 / 362880);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 40320));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 5040));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 720));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 120));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 24));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 6));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  return f64x2.mul(sum, i64x2.shl(i64x2.add(shifted, i64x2.splat(1023)), 52));
}

/** e^x - 1 of a small x, by its series. */
@inline
function expLessOne(x: v128): v128 {
  let sum = f64x2.add(f64x2.mul(x, f64x2.splat(1.0 / 120)), f64x2.splat(1.0 / 24));
  sum = f64x2.add(f64x2.mul(sum, x), f64x2.splat(1.0 / 6));
  sum = f64x2.add(f64x2.mul(sum, x), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, x), f64x2.splat(1));
  return f64x2.mul(sum, x);
}

function fillTable(): void {
  for (let bits = 0; bits < 65536; bits += 2) {
    const x = f64x2(<f64>reinterpret<f32>(bits << 16), <f64>reinterpret<f32>((bits + 1) << 16));
    v128.store(TABLE + (<usize>bits << 3), exp(x));
  }
  isFilled = true;
}

/** e^x of two bf16 as they are stored. */
@inline
function expOfBrains(x: usize): v128 {
  const first = v128.load64_zero(TABLE + (<usize>load<u16>(x) << 3));
  return v128.load64_lane(TABLE + (<usize>load<u16>(x, 2) << 3), first, 1);
}

/** Two elements of four in f64; bf16 and f32 come as four f32, f64 as they lie. */
@inline
function pair<T>(x: usize, second: bool): v128 {
  if (sizeof<T>() == 8) return second ? v128.load(x, 16) : v128.load(x);
  const four = sizeof<T>() == 2 ? lowSingles(v128.load64_zero(x)) : v128.load(x);
  return second ? high(four) : low(four);
}

/** All bits of the lanes that are among the `left` elements that follow. */
@inline
function inside(left: i32): v128 {
  return i64x2.gt_s(i64x2.splat(<i64>left), i64x2(0, 1));
}

/** The largest element; a NaN is not looked at. */
@inline
function largestOf<T>(x: usize, n: i32): f64 {
  let lanes = f64x2.splat(-Infinity);
  for (let i = 0; i < n; i += 4) {
    const x0 = v128.bitselect(pair<T>(x, false), lanes, inside(n - i));
    const x1 = v128.bitselect(pair<T>(x, true), lanes, inside(n - i - 2));
    lanes = f64x2.pmax(f64x2.pmax(lanes, x0), x1);
    x += 4 * sizeof<T>();
  }
  return max(f64x2.extract_lane(lanes, 0), f64x2.extract_lane(lanes, 1));
}

let sumOfX: f64 = 0;
let sumOfDifferences: f64 = 0;

/**
 * For every two elements, e^x and e^y - e^x go into 32 bytes at `target`, their sums into the globals above. Zeros, which
 * diverge by nothing, take the place of what a last vector lacks.
 */
@inline
function measure<T>(x: usize, y: usize, target: usize, shiftX: f64, shiftY: f64, n: i32, isTabled: bool): void {
  const originX = f64x2.splat(shiftX);
  const originY = f64x2.splat(shiftY);
  const close = f64x2.splat(CLOSE);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let more0 = sum0;
  let more1 = sum0;
  let i = 0;
  do {
    let x0 = pair<T>(x, false);
    let x1 = pair<T>(x, true);
    let y0 = pair<T>(y, false);
    let y1 = pair<T>(y, true);
    if (!isTabled) {
      x0 = f64x2.sub(x0, originX);
      x1 = f64x2.sub(x1, originX);
      y0 = f64x2.sub(y0, originY);
      y1 = f64x2.sub(y1, originY);
    }
    let e0 = isTabled ? expOfBrains(x) : exp(x0);
    let e1 = isTabled ? expOfBrains(x + 4) : exp(x1);
    const delta0 = f64x2.sub(y0, x0);
    const delta1 = f64x2.sub(y1, x1);
    let d0 = f64x2.mul(e0, expLessOne(delta0));
    let d1 = f64x2.mul(e1, expLessOne(delta1));
    const isClose0 = f64x2.le(f64x2.abs(delta0), close);
    const isClose1 = f64x2.le(f64x2.abs(delta1), close);
    if (i64x2.bitmask(v128.and(isClose0, isClose1)) != 3) {
      d0 = v128.bitselect(d0, f64x2.sub(isTabled ? expOfBrains(y) : exp(y0), e0), isClose0);
      d1 = v128.bitselect(d1, f64x2.sub(isTabled ? expOfBrains(y + 4) : exp(y1), e1), isClose1);
    }
    if (i + 4 > n) {
      e0 = v128.and(e0, inside(n - i));
      d0 = v128.and(d0, inside(n - i));
      e1 = v128.and(e1, inside(n - i - 2));
      d1 = v128.and(d1, inside(n - i - 2));
    }
    v128.store(target, e0);
    v128.store(target, d0, 16);
    v128.store(target, e1, 32);
    v128.store(target, d1, 48);
    sum0 = f64x2.add(sum0, e0);
    sum1 = f64x2.add(sum1, e1);
    more0 = f64x2.add(more0, d0);
    more1 = f64x2.add(more1, d1);
    x += 4 * sizeof<T>();
    y += 4 * sizeof<T>();
    target += 64;
    i += 4;
  } while (i < n);
  sumOfX = acrossLanes(sum0, sum1);
  sumOfDifferences = acrossLanes(more0, more1);
}

@inline
function acrossLanes(a: v128, b: v128): f64 {
  const sum = f64x2.add(a, b);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

@inline
function isMeasured(sum: f64): bool {
  return sum >= LEAST_SUM && sum <= MOST_SUM;
}

@inline
function divergence<T>(x: usize, y: usize, scratch: usize, n: i32): f64 {
  if (sizeof<T>() == 2) {
    if (!isFilled) fillTable();
    measure<T>(x, y, scratch, 0, 0, n, true);
  } else {
    measure<T>(x, y, scratch, 0, 0, n, false);
  }
  if (!isMeasured(sumOfX) || !isMeasured(sumOfX + sumOfDifferences)) {
    measure<T>(x, y, scratch, largestOf<T>(x, n), largestOf<T>(y, n), n, false);
  }
  return divergenceOf(scratch, n);
}

/**
 * sum p ln(p / q) of the shares p = softmax(x) + 1e-8 and q = softmax(y) + 1e-8 of two rows.
 * @param scratch 16 bytes an element, and a vector more
 */
export function divergenceF32(x: usize, y: usize, scratch: usize, n: i32): f64 {
  return divergence<f32>(x, y, scratch, n);
}
export function divergenceF64(x: usize, y: usize, scratch: usize, n: i32): f64 {
  return divergence<f64>(x, y, scratch, n);
}
/** The same of bf16 as they are stored. */
export function divergenceBF16(x: usize, y: usize, scratch: usize, n: i32): f64 {
  return divergence<u16>(x, y, scratch, n);
}

/** The sum over what was measured: of shares times the sum of e^y, by which the total is divided. */
function divergenceOf(measured: usize, n: i32): f64 {
  const sumOfY = sumOfX + sumOfDifferences;
  const ratio = sumOfY / sumOfX;
  const perX = f64x2.splat(sumOfDifferences / sumOfX);
  const twice = f64x2.splat(2 * ratio);
  const epsilons = f64x2.splat(2 * EPSILON * sumOfY);
  let total0 = f64x2.splat(0);
  let total1 = total0;
  let i = 0;
  do {
    const e0 = v128.load(measured);
    const e1 = v128.load(measured, 32);
    // q - p, 2 p, r = (q - p) / (p + q)
    const d0 = f64x2.sub(v128.load(measured, 16), f64x2.mul(e0, perX));
    const d1 = f64x2.sub(v128.load(measured, 48), f64x2.mul(e1, perX));
    const p0 = f64x2.add(f64x2.mul(e0, twice), epsilons);
    const p1 = f64x2.add(f64x2.mul(e1, twice), epsilons);
    const r0 = f64x2.div(d0, f64x2.add(p0, d0));
    const r1 = f64x2.div(d1, f64x2.add(p1, d1));
    const z0 = f64x2.mul(r0, r0);
    const z1 = f64x2.mul(r1, r1);
    let term0 = nearTerm(d0, r0, z0);
    let term1 = nearTerm(d1, r1, z1);
    const isNear0 = f64x2.le(z0, f64x2.splat(NEAR * NEAR));
    const isNear1 = f64x2.le(z1, f64x2.splat(NEAR * NEAR));
    if (i64x2.bitmask(v128.and(isNear0, isNear1)) != 3) {
      term0 = v128.bitselect(term0, farTerm(p0, d0), isNear0);
      term1 = v128.bitselect(term1, farTerm(p1, d1), isNear1);
    }
    total0 = f64x2.add(total0, term0);
    total1 = f64x2.add(total1, term1);
    measured += 64;
    i += 4;
  } while (i < n);
  return acrossLanes(total0, total1) / sumOfY;
}

/**
 * p ln(p / q) - p + q through the series of the inverse hyperbolic tangent: (q - p) r (1 - r (1 - r) (1/3 + r^2/5 + ...)),
 * z being r^2.
 */
@inline
function nearTerm(difference: v128, r: v128, z: v128): v128 {
  const one = f64x2.splat(1);
  const series = f64x2.add(f64x2.mul(z, f64x2.splat(1.0 / 5)), f64x2.splat(1.0 / 3));
  const rest = f64x2.mul(f64x2.mul(r, f64x2.sub(one, r)), series);
  return f64x2.mul(f64x2.mul(difference, r), f64x2.sub(one, rest));
}

/** The same where the two are not near. */
function farTerm(twiceP: v128, difference: v128): v128 {
  const p = f64x2.mul(twiceP, f64x2.splat(0.5));
  return f64x2.add(f64x2.mul(p, logOf(f64x2.div(p, f64x2.add(p, difference)))), difference);
}

/** ln x = ln(2^k m) with m between 1/sqrt 2 and sqrt 2; NaN of what is not above 0. */
@inline
function logOf(x: v128): v128 {
  const one = f64x2.splat(1);
  const exponent = i64x2.shr_s(i64x2.sub(x, i64x2.splat(SQRT_HALF_BITS)), 52);
  const m = i64x2.sub(x, i64x2.shl(exponent, 52));
  const k = f64x2.sub(i64x2.add(exponent, f64x2.splat(ROUNDER)), f64x2.splat(ROUNDER));
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let sum = f64x2.splat(1.0 / 21);
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 19));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 17));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 15));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 13));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 11));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 9));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 7));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 5));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 3));
  sum = f64x2.add(f64x2.mul(sum, z), one);
  const fraction = f64x2.mul(f64x2.add(s, s), sum);
  const log = f64x2.add(
    f64x2.mul(k, f64x2.splat(LN2_HIGH)),
    f64x2.add(fraction, f64x2.mul(k, f64x2.splat(LN2_LOW))),
  );
  return v128.bitselect(log, f64x2.splat(NaN), f64x2.gt(x, f64x2.splat(0)));
}
