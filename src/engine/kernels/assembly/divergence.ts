// Kullback-Leibler divergence of the softmax of two rows, in f64 throughout: between a model and its fine-tune nearly all of
// it cancels. Exponential and logarithm are spelled out, as the scalar twin and every machine must give the same bits.

/** Above this a 53-bit significand holds no fraction: adding it rounds to an integer, found in the low bits. */
const ROUNDER: f64 = 6755399441055744;
const LOG2_E: f64 = 1.4426950408889634;
/** ln 2 in two parts; products of the first with small integers are exact. */
const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
/** e^x of anything smaller is nothing beside 1e-8. */
const LOWEST: f64 = -700;
/** Keeps the logarithm of an empty share finite (MergeKit's constant). */
const EPSILON: f64 = 1e-8;
/** Differences up to this leave the series of e^x after r^5 with an error far below that of the divergence. */
const CLOSE: f64 = 0.015625;
/** Up to this (p - q) / (p + q) the same holds for four terms of the logarithm's series. */
const NEAR: f64 = 0.03125;

/** e^x for x <= 0: 2^k e^r with |r| <= ln 2 / 2, the series of e^r up to r^9 (1e-11). */
@inline
function exp(x: v128): v128 {
  const y = f64x2.pmax(x, f64x2.splat(LOWEST));
  const shifted = f64x2.add(f64x2.mul(y, f64x2.splat(LOG2_E)), f64x2.splat(ROUNDER));
  const k = f64x2.sub(shifted, f64x2.splat(ROUNDER));
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(k, f64x2.splat(LN2_HIGH))), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  let sum = f64x2.splat(1.0 / 362880);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 40320));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 5040));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 720));
  return f64x2.mul(expFrom120(sum, r), i64x2.shl(i64x2.add(shifted, i64x2.splat(1023)), 52));
}

/** The last terms of the series, from r^5 / 120 on. */
@inline
function expFrom120(higher: v128, r: v128): v128 {
  let sum = f64x2.add(f64x2.mul(higher, r), f64x2.splat(1.0 / 120));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 24));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 6));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  return f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
}

/** e^y, given e^x: through the difference where that is small, so that an error in both is the same and cancels. */
@inline
function expBeside(ex: v128, x: v128, y: v128, shift: v128): v128 {
  const delta = f64x2.sub(y, x);
  const isNear = f64x2.le(f64x2.abs(delta), f64x2.splat(CLOSE));
  const near = f64x2.mul(ex, expFrom120(f64x2.splat(0), delta));
  if (i64x2.all_true(isNear)) return near;
  return v128.bitselect(near, exp(f64x2.sub(y, shift)), isNear);
}

/** Two elements from `x` on, in f64; only the first where there is no second. */
@inline
function pair<T>(x: usize, isWhole: bool): v128 {
  if (!isWhole) return f64x2.splat(<f64>load<T>(x));
  return sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(x)) : v128.load(x);
}

/** The largest of both; a NaN is not looked at. */
@inline
function largestOf<T>(x: usize, y: usize, n: i32): f64 {
  let lanes = v128.splat<T>(<T>-Infinity);
  const bytes = <usize>n * sizeof<T>();
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    lanes = v128.pmax<T>(v128.pmax<T>(lanes, v128.load(x + at)), v128.load(y + at));
  }
  for (; at < bytes; at += sizeof<T>()) {
    lanes = v128.pmax<T>(v128.pmax<T>(lanes, v128.splat<T>(load<T>(x + at))), v128.splat<T>(load<T>(y + at)));
  }
  const largest = <f64>max<T>(v128.extract_lane<T>(lanes, 0), v128.extract_lane<T>(lanes, 1));
  if (sizeof<T>() == 8) return largest;
  return max(largest, <f64>max<T>(v128.extract_lane<T>(lanes, 2), v128.extract_lane<T>(lanes, 3)));
}

@inline
function exponentials<T>(x: usize, y: usize, targetX: usize, targetY: usize, sums: usize, n: i32): void {
  const shift = f64x2.splat(largestOf<T>(x, y, n));
  let sumX = f64x2.splat(0);
  let sumY = sumX;
  let i = 0;
  for (; i + 2 <= n; i += 2) {
    const x0 = pair<T>(x, true);
    const y0 = pair<T>(y, true);
    const ex = exp(f64x2.sub(x0, shift));
    const ey = expBeside(ex, x0, y0, shift);
    v128.store(targetX, ex);
    v128.store(targetY, ey);
    sumX = f64x2.add(sumX, ex);
    sumY = f64x2.add(sumY, ey);
    x += 2 * sizeof<T>();
    y += 2 * sizeof<T>();
    targetX += 16;
    targetY += 16;
  }
  let totalX = f64x2.extract_lane(sumX, 0) + f64x2.extract_lane(sumX, 1);
  let totalY = f64x2.extract_lane(sumY, 0) + f64x2.extract_lane(sumY, 1);
  if (i < n) {
    const x0 = pair<T>(x, false);
    const ex = exp(f64x2.sub(x0, shift));
    const ey = expBeside(ex, x0, pair<T>(y, false), shift);
    v128.store64_lane(targetX, ex, 0);
    v128.store64_lane(targetY, ey, 0);
    totalX += f64x2.extract_lane(ex, 0);
    totalY += f64x2.extract_lane(ey, 0);
  }
  store<f64>(sums, totalX);
  store<f64>(sums, totalY, 8);
}

/** e^x and e^y, both divided by e to the largest of all, in f64; their two sums are stored at `sums`. */
export function exponentialsF32(x: usize, y: usize, targetX: usize, targetY: usize, sums: usize, n: i32): void {
  exponentials<f32>(x, y, targetX, targetY, sums, n);
}
export function exponentialsF64(x: usize, y: usize, targetX: usize, targetY: usize, sums: usize, n: i32): void {
  exponentials<f64>(x, y, targetX, targetY, sums, n);
}

/** ln(p / q) of shares that are far apart: 2^k m with m between 1/sqrt 2 and sqrt 2. */
function logOfRatio(p: f64, q: f64): f64 {
  const ratio = p / q;
  if (!(ratio > 0)) return NaN;
  const bits = reinterpret<u64>(ratio) - 0x3fe6a09e667f3bcd;
  const exponent = <i64>bits >> 52;
  const m = reinterpret<f64>(reinterpret<u64>(ratio) - (<u64>exponent << 52));
  const k = <f64>exponent;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum: f64 = 1.0 / 21;
  for (let odd: f64 = 19; odd > 0; odd -= 2) sum = sum * z + 1 / odd;
  return k * LN2_HIGH + (2 * s * sum + k * LN2_LOW);
}

/** p ln(p / q), through the series of the inverse hyperbolic tangent where the two are near each other. */
@inline
function divergenceAt(p: v128, q: v128): v128 {
  const r = f64x2.div(f64x2.sub(p, q), f64x2.add(p, q));
  if (v128.any_true(v128.not(f64x2.le(f64x2.abs(r), f64x2.splat(NEAR))))) {
    return f64x2.replace_lane(
      f64x2.splat(divergenceOf(f64x2.extract_lane(p, 0), f64x2.extract_lane(q, 0), f64x2.extract_lane(r, 0))),
      1,
      divergenceOf(f64x2.extract_lane(p, 1), f64x2.extract_lane(q, 1), f64x2.extract_lane(r, 1)),
    );
  }
  const z = f64x2.mul(r, r);
  let sum = f64x2.splat(1.0 / 7);
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 5));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 3));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1));
  return f64x2.mul(p, f64x2.mul(f64x2.add(r, r), sum));
}

function divergenceOf(p: f64, q: f64, r: f64): f64 {
  if (!(abs(r) <= NEAR)) return p * logOfRatio(p, q);
  const z = r * r;
  return p * ((r + r) * (((z * (1.0 / 7) + 1.0 / 5) * z + 1.0 / 3) * z + 1));
}

/**
 * sum p ln(p / q) in f64, of the shares p = x / sumX + 1e-8 and q = y / sumY + 1e-8 of exponentials. Rounding may make it
 * smaller than the 0 of equal rows; it is not let.
 */
export function divergence(x: usize, sumX: f64, y: usize, sumY: f64, n: i32): f64 {
  const epsilon = f64x2.splat(EPSILON);
  const shareX = f64x2.splat(1 / sumX);
  const shareY = f64x2.splat(1 / sumY);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const p0 = f64x2.add(f64x2.mul(v128.load(x), shareX), epsilon);
    const q0 = f64x2.add(f64x2.mul(v128.load(y), shareY), epsilon);
    const p1 = f64x2.add(f64x2.mul(v128.load(x, 16), shareX), epsilon);
    const q1 = f64x2.add(f64x2.mul(v128.load(y, 16), shareY), epsilon);
    sum0 = f64x2.add(sum0, divergenceAt(p0, q0));
    sum1 = f64x2.add(sum1, divergenceAt(p1, q1));
    x += 32;
    y += 32;
  }
  sum0 = f64x2.add(sum0, sum1);
  let sum = f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1);
  for (; i < n; i++) {
    const p = load<f64>(x) * f64x2.extract_lane(shareX, 0) + EPSILON;
    const q = load<f64>(y) * f64x2.extract_lane(shareY, 0) + EPSILON;
    sum += divergenceOf(p, q, (p - q) / (p + q));
    x += 8;
    y += 8;
  }
  return sum < 0 ? 0 : sum;
}
