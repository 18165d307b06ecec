// What kernels do with the lanes of a vector, and to counters, whatever they compute. Inlined; no export of kernels.wasm.
//
// Where a loop ends with its condition (a block has at least one element), V8 keeps constant vectors in registers; where it
// begins with it, they are made again each time.

/** The first two of four f32 in f64. */
@inline
export function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** The last two of four f32 in f64. */
@inline
export function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
}

/** Two and two f64, rounded to four f32. */
@inline
export function demoted(x: v128, y: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(x), f32x4.demote_f64x2_zero(y), 0, 1, 4, 5);
}

/** Adds one to a u32. */
@inline
export function bump(slot: usize): void {
  store<u32>(slot, load<u32>(slot) + 1);
}

/** The sum of four u32. */
@inline
export function addLanes(x: v128): u32 {
  return (
    i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + (i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3))
  );
}

/** The sum of four f64 in the order of all reductions: two and two lanes, then both. */
@inline
export function addDoubles(a: v128, b: v128): f64 {
  return (
    f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + (f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1))
  );
}

/** One bf16 as f32. */
@inline
export function singleOf(brain: usize): f32 {
  return reinterpret<f32>(<u32>load<u16>(brain) << 16);
}

/** The first four of eight bf16 as f32: interleaving zeros below each 16-bit value shifts it into the upper half. */
@inline
export function lowSingles(brains: v128): v128 {
  return v128.shuffle<i16>(i16x8.splat(0), brains, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The last four of eight bf16 as f32. */
@inline
export function highSingles(brains: v128): v128 {
  return v128.shuffle<i16>(i16x8.splat(0), brains, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Those of eight bf16 that lie at even places as f32: with the next, the cheapest way where order does not matter. */
@inline
export function evenSingles(brains: v128): v128 {
  return i32x4.shl(brains, 16);
}

/** Those at odd places, which are in the upper halves already. */
@inline
export function oddSingles(brains: v128): v128 {
  return v128.and(brains, i32x4.splat(0xffff0000));
}

/** Eight f32 rounded to bf16, ties to even. */
@inline
export function brains(low: v128, high: v128): v128 {
  return i16x8.narrow_i32x4_u(roundedToBrain(low), roundedToBrain(high));
}

@inline
function roundedToBrain(x: v128): v128 {
  return v128.bitselect(i32x4.shr_u(rounded(x), 16), i32x4.splat(0x7fc0), f32x4.eq(x, x));
}

/** The same of four f32 for the even places and four for the odd ones. */
@inline
export function wovenBrains(even: v128, odd: v128): v128 {
  const numbers = woven(f32x4.eq(even, even), f32x4.eq(odd, odd));
  return v128.bitselect(woven(i32x4.shr_u(rounded(even), 16), rounded(odd)), i16x8.splat(0x7fc0), numbers);
}

/** The upper half of each f32 becomes its bf16, of NaN anything. */
@inline
function rounded(x: v128): v128 {
  const last = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  return i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), last);
}

/** The lower halves of `even` between the upper halves of `odd`. */
@inline
export function woven(even: v128, odd: v128): v128 {
  return v128.shuffle<i16>(even, odd, 0, 9, 2, 11, 4, 13, 6, 15);
}

/** All bits of each lane whose bit among the lowest four is set. */
@inline
export function laneBits(bits: i32): v128 {
  return areSet(i32x4.splat(bits), i32x4(1, 2, 4, 8));
}

/** All bits of each lane whose bit is set, of the bits at even places of the lowest eight. */
@inline
export function evenBits(bits: v128): v128 {
  return areSet(bits, i32x4(1, 4, 16, 64));
}

/** The same of those at odd places. */
@inline
export function oddBits(bits: v128): v128 {
  return areSet(bits, i32x4(2, 8, 32, 128));
}

@inline
function areSet(bits: v128, each: v128): v128 {
  return i32x4.eq(v128.and(bits, each), each);
}

/** Of the lanes that are equal to a threshold the first ones, as many as its quota still has. */
export function taken(equal: v128, quotaAt: usize): v128 {
  const quota = load<u32>(quotaAt);
  const found = i32x4.bitmask(equal);
  if (found == 0 || quota == 0) return i32x4.splat(0);
  const count = <u32>popcnt(found);
  if (count <= quota) {
    store<u32>(quotaAt, quota - count);
    return equal;
  }
  store<u32>(quotaAt, 0);
  let first: v128 = equal;
  let left = <i32>quota;
  for (let lane = 0; lane < 4; lane++) {
    if (!((found >> lane) & 1)) continue;
    if (left > 0) left--;
    else first = v128.and(first, laneless(lane));
  }
  return first;
}

@inline
function laneless(lane: i32): v128 {
  return i32x4.ne(i32x4(0, 1, 2, 3), i32x4.splat(lane));
}

/** Room for eight elements of three models. */
const LAST = memory.data(48, 16);

/** Where the last `n` bf16 of a model, at most eight, lie once more with zeros behind them. Each model has its place. */
export function lastOf(x: usize, place: usize, n: i32): usize {
  const copy = LAST + (place << 4);
  memory.fill(copy, 0, 16);
  memory.copy(copy, x, <usize>n << 1);
  return copy;
}
