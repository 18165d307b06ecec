// Random masks from Philox 4x32-10 (Salmon et al., 2011): a counter goes in, random bits come out, so the mask of an element
// depends on nothing but the key, the model and the element's index. Element e takes 16 bits of the block of four words
// whose counter is (4 floor(e / 32) + e mod 4 in 64 bits, model, stream): word floor(e / 8) mod 4, its upper half when
// floor(e / 4) is odd. Four blocks side by side then give 32 draws in order. Stream 0 has the first 16 bits of a draw, stream 1
// the 16 that decide when those tie with a probability's.

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** The first 16 bits of the draws of `n` elements from `first`, a multiple of 32, as u16; whole groups of 64 are written. */
export function drawBits(target: usize, key: u64, model: u32, first: f64, n: i32): void {
  draw(target, key, model, first, n, false, 0);
}

/**
 * A bit for each of `n` elements from `first`, a multiple of 32, whose draw of 32 bits is below `probability` (2^32 times it); whole
 * groups of 64 are written.
 */
export function drawMask(target: usize, probability: u32, key: u64, model: u32, first: f64, n: i32): void {
  draw(target, key, model, first, n, true, probability);
}

/** The keys of rounds 2 to 9, each in all lanes. */
const KEYS: usize = memory.data(256, 16);

/**
 * Two groups of 32 go side by side: each round waits for the one before. One product of round 0 and one of round 1 are the
 * same for all blocks of a group.
 */
@inline
function draw(
  target: usize,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
  asMask: bool,
  probability: u32,
): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  const least = i16x8.splat(<i16>(probability >> 16));
  const k0 = <u32>key;
  const k1 = <u32>(key >> 32);
  for (let round: u32 = 0; round < 8; round++) {
    v128.store(KEYS + <usize>round * 32, i32x4.splat(k0 + (round + 2) * W0));
    v128.store(KEYS + <usize>round * 32, i32x4.splat(k1 + (round + 2) * W1), 16);
  }
  const ofModel = <u64>M1 * <u64>model;
  const entering = <u32>(ofModel >> 32) ^ k0;
  let counter = <u64>first >> 3;
  let i = 0;
  do {
    const next = counter + 4;
    const common = <u64>M0 * <u64>(entering ^ <u32>(counter >> 32));
    const commonNext = <u64>M0 * <u64>(entering ^ <u32>(next >> 32));
    const own = i32x4.splat(<u32>ofModel ^ (k0 + W0));
    let c0 = i32x4.add(i32x4.splat(<u32>counter), i32x4(0, 1, 2, 3));
    let c2 = v128.xor(upper(c0, m0), i32x4.splat(k1));
    let c1 = i32x4.mul(c2, m1);
    let c3 = i32x4.mul(c0, m0);
    c0 = v128.xor(upper(c2, m1), own);
    c2 = v128.xor(c3, i32x4.splat(<u32>(common >> 32) ^ (k1 + W1)));
    c3 = i32x4.splat(<u32>common);
    let d0 = i32x4.add(i32x4.splat(<u32>next), i32x4(0, 1, 2, 3));
    let d2 = v128.xor(upper(d0, m0), i32x4.splat(k1));
    let d1 = i32x4.mul(d2, m1);
    let d3 = i32x4.mul(d0, m0);
    d0 = v128.xor(upper(d2, m1), own);
    d2 = v128.xor(d3, i32x4.splat(<u32>(commonNext >> 32) ^ (k1 + W1)));
    d3 = i32x4.splat(<u32>commonNext);
    let keys = KEYS;
    do {
      const key0 = v128.load(keys);
      const key1 = v128.load(keys, 16);
      const a0 = i64x2.extmul_low_i32x4_u(c0, m0);
      const a1 = i64x2.extmul_high_i32x4_u(c0, m0);
      const b0 = i64x2.extmul_low_i32x4_u(c2, m1);
      const b1 = i64x2.extmul_high_i32x4_u(c2, m1);
      const e0 = i64x2.extmul_low_i32x4_u(d0, m0);
      const e1 = i64x2.extmul_high_i32x4_u(d0, m0);
      const f0 = i64x2.extmul_low_i32x4_u(d2, m1);
      const f1 = i64x2.extmul_high_i32x4_u(d2, m1);
      c0 = v128.xor(v128.xor(v128.shuffle<i32>(b0, b1, 1, 3, 5, 7), c1), key0);
      c1 = v128.shuffle<i32>(b0, b1, 0, 2, 4, 6);
      c2 = v128.xor(v128.xor(v128.shuffle<i32>(a0, a1, 1, 3, 5, 7), c3), key1);
      c3 = v128.shuffle<i32>(a0, a1, 0, 2, 4, 6);
      d0 = v128.xor(v128.xor(v128.shuffle<i32>(f0, f1, 1, 3, 5, 7), d1), key0);
      d1 = v128.shuffle<i32>(f0, f1, 0, 2, 4, 6);
      d2 = v128.xor(v128.xor(v128.shuffle<i32>(e0, e1, 1, 3, 5, 7), d3), key1);
      d3 = v128.shuffle<i32>(e0, e1, 0, 2, 4, 6);
      keys += 32;
    } while (keys < KEYS + 256);
    if (asMask) {
      const tiesOfC = v128.or(tiesOf(c0, c1, least), tiesOf(c2, c3, least));
      const ties = v128.or(tiesOfC, v128.or(tiesOf(d0, d1, least), tiesOf(d2, d3, least)));
      store<u16>(target, below(c0, c1, least));
      store<u16>(target, below(c2, c3, least), 2);
      store<u16>(target, below(d0, d1, least), 4);
      store<u16>(target, below(d2, d3, least), 6);
      if (i8x16.bitmask(ties) != 0) {
        const from = first + <f64>i;
        settle(target, c0, c1, least, probability, key, model, from);
        settle(target + 2, c2, c3, least, probability, key, model, from + 16);
        settle(target + 4, d0, d1, least, probability, key, model, from + 32);
        settle(target + 6, d2, d3, least, probability, key, model, from + 48);
      }
      target += 8;
    } else {
      v128.store(target, halves(c0));
      v128.store(target, halves(c1), 16);
      v128.store(target, halves(c2), 32);
      v128.store(target, halves(c3), 48);
      v128.store(target, halves(d0), 64);
      v128.store(target, halves(d1), 80);
      v128.store(target, halves(d2), 96);
      v128.store(target, halves(d3), 112);
      target += 128;
    }
    counter += 8;
    i += 64;
  } while (i < n);
}

/** The upper halves of four products. */
@inline
function upper(x: v128, m: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 1, 3, 5, 7);
}

/** The lower halves of four words, then the upper ones: the draws of eight elements in order. */
@inline
function halves(words: v128): v128 {
  return i8x16.shuffle(words, words, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
}

/** A bit for each of 16 elements, of bytes that lie as the halves of two vectors of words do. */
@inline
function inOrder(bytes: v128): i32 {
  return i8x16.bitmask(i8x16.shuffle(bytes, bytes, 0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
}

/** A bit for each of 16 draws that is surely below. */
@inline
function below(first: v128, second: v128, least: v128): i32 {
  const zero = i16x8.splat(0);
  const isAbove0 = i16x8.eq(i16x8.sub_sat_u(least, first), zero);
  const isAbove1 = i16x8.eq(i16x8.sub_sat_u(least, second), zero);
  return ~inOrder(i8x16.narrow_i16x8_s(isAbove0, isAbove1));
}

/** All bits of each of 16 bytes whose draw, in the order of halves of words, ties with the probability. */
@inline
function tiesOf(first: v128, second: v128, least: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.eq(first, least), i16x8.eq(second, least));
}

/** Looks at the further bits of the draws of 16 elements that tie. */
function settle(
  target: usize,
  first: v128,
  second: v128,
  least: v128,
  probability: u32,
  key: u64,
  model: u32,
  element: f64,
): void {
  let bits = i32(load<u16>(target));
  for (let ties = inOrder(tiesOf(first, second, least)); ties != 0; ties &= ties - 1) {
    const lane = ctz(ties);
    const isBelow = drawMoreBits(key, model, element + <f64>lane) < (probability & 0xffff);
    bits |= i32(isBelow) << lane;
  }
  store<u16>(target, bits);
}

/** The further 16 bits of one element's draw. */
export function drawMoreBits(key: u64, model: u32, element: f64): u32 {
  const e = <u64>element;
  const counter = ((e >> 5) << 2) + (e & 3);
  let c0 = <u32>counter;
  let c1 = <u32>(counter >> 32);
  let c2 = model;
  let c3: u32 = 1;
  let k0 = <u32>key;
  let k1 = <u32>(key >> 32);
  for (let round = 0; round < 10; round++) {
    const a = <u64>M0 * <u64>c0;
    const b = <u64>M1 * <u64>c2;
    c0 = <u32>(b >> 32) ^ c1 ^ k0;
    c1 = <u32>b;
    c2 = <u32>(a >> 32) ^ c3 ^ k1;
    c3 = <u32>a;
    k0 += W0;
    k1 += W1;
  }
  const word = <u32>(e >> 3) & 3;
  const bits = word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
  return e & 4 ? bits >> 16 : bits & 0xffff;
}

/**
 * Turns x into what a mask leaves of the task vector x - base: element i is kept when its draw of 32 bits is below
 * `probability` (2^32 times it), zero otherwise. `draws` are the first 16 bits of the elements from `first` on.
 */
export function keepDrawnF32(
  x: usize,
  base: usize,
  draws: usize,
  probability: u32,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
): void {
  const least = i16x8.splat(<i16>(probability >> 16));
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const bits = v128.load(draws);
    if (v128.any_true(i16x8.eq(bits, least))) {
      for (let lane = 0; lane < 8; lane++) {
        const at = <usize>lane << 2;
        keepOneF32(x + at, base + at, draws + (at >> 1), probability, key, model, first + i + lane);
      }
    } else {
      const kept = i16x8.lt_u(bits, least);
      const low = f32x4.sub(v128.load(x), v128.load(base));
      const high = f32x4.sub(v128.load(x, 16), v128.load(base, 16));
      v128.store(x, v128.and(low, i32x4.extend_low_i16x8_s(kept)));
      v128.store(x, v128.and(high, i32x4.extend_high_i16x8_s(kept)), 16);
    }
    x += 32;
    base += 32;
    draws += 16;
  }
  for (; i < n; i++) {
    keepOneF32(x, base, draws, probability, key, model, first + i);
    x += 4;
    base += 4;
    draws += 2;
  }
}

@inline
function keepOneF32(
  x: usize,
  base: usize,
  draw: usize,
  probability: u32,
  key: u64,
  model: u32,
  element: f64,
): void {
  const kept = isDrawn(<u32>load<u16>(draw), probability, key, model, element);
  store<f32>(x, kept ? load<f32>(x) - load<f32>(base) : 0);
}

/** Whether a draw is below 2^32 times the probability; the second half of it is only looked at where the first ties. */
@inline
export function isDrawn(
  bits: u32,
  probability: u32,
  key: u64,
  model: u32,
  element: f64,
): bool {
  const leading = probability >> 16;
  if (bits != leading) return bits < leading;
  return drawMoreBits(key, model, element) < (probability & 0xffff);
}

export function keepDrawnF64(
  x: usize,
  base: usize,
  draws: usize,
  probability: u32,
  key: u64,
  model: u32,
  first: f64,
  n: i32,
): void {
  for (let i = 0; i < n; i++) {
    const kept = isDrawn(<u32>load<u16>(draws), probability, key, model, first + i);
    store<f64>(x, kept ? load<f64>(x) - load<f64>(base) : 0);
    x += 8;
    base += 8;
    draws += 2;
  }
}
