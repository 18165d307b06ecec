// Two task vectors, the commonest merge: what remains of both is merged in registers, from bf16 as it is stored to bf16.
//
// The settings of a merge, 208 bytes. For each model, 24 bytes apart: the key above which elements are kept (i32 at 0) and how
// many equal to it are kept too (u32 at 4); the key above which they are left out as outliers (i32 at 8) and how many equal
// to that are left out too (u32 at 12); its coefficient where it stands alone (f32 at 16) and together with the other (f32 at
// 20). Then the ratio of y's vote to x's, at least 1 (f32 at 48), the sum of votes, relative to y, below which f32 is unsure
// of its sign (f32 at 52), and both votes (f64 at 56 and 64). A sum of exactly zero elects +. From 72 on, masks.

import { addLanes, evenBits, evenSingles, high, low, oddBits, oddSingles, singleOf, wovenBrains } from './lanes';

const ABS: i32 = 0x7fffffff;
const SIGN: i32 = 0x80000000;

/** base + what the two elect: x and y are what remains of the task vectors. Of the settings, only those after the keys. */
export function electPairF32(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  const ratio = v128.load32_splat(settings, 48);
  const margin = v128.load32_splat(settings, 52);
  const bothX = v128.load32_splat(settings, 20);
  const bothY = v128.load32_splat(settings, 44);
  const changeX = v128.xor(bothX, v128.load32_splat(settings, 16));
  const changeY = v128.xor(bothY, v128.load32_splat(settings, 40));
  let i = 0;
  do {
    const deltaX = v128.load(x);
    const deltaY = v128.load(y);
    const sum = elected(deltaX, deltaY, ratio, margin, bothX, bothY, changeX, changeY, settings);
    v128.store(output, f32x4.add(v128.load(base), sum));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    i += 4;
  } while (i < n);
}

/** The same from bf16 to bf16, of the elements of either task vector that are large enough. */
export function trimElectPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  selectPair(output, base, x, y, settings, n, false, true);
}

/** And of those that are no outliers either. */
export function bandElectPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  selectPair(output, base, x, y, settings, n, true, true);
}

/** The same without an election: base + the sum of both. */
export function bandSumPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  selectPair(output, base, x, y, settings, n, true, false);
}

/** Elements after which quotas are looked at. */
const RUN: i32 = 512;
/** Where the masks of one run lie among the settings, one behind the other. */
const RUN_MASKS: usize = 80;

/** The same of what masks of one bit an element leave of either (u32 at 72 and 76: where they lie). */
export function maskElectPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  mergeRun(output, base, x, y, settings, load<u32>(settings, 72), load<u32>(settings, 76), n, true, false, true);
}

export function maskSumPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  mergeRun(output, base, x, y, settings, load<u32>(settings, 72), load<u32>(settings, 76), n, true, false, false);
}

/** Flags are constants: each export has only what it needs. */
@inline
function selectPair(
  output: usize,
  base: usize,
  x: usize,
  y: usize,
  settings: usize,
  n: i32,
  hasOutliers: bool,
  elects: bool,
): void {
  const maskX = settings + RUN_MASKS;
  const maskY = maskX + (RUN >> 3);
  for (let i = 0; i < n; i += RUN) {
    const count = min(RUN, n - i);
    const at = <usize>i << 1;
    if (mergeRun(output + at, base + at, x + at, y + at, settings, 0, 0, count, false, hasOutliers, elects)) continue;
    markKept(maskX, x + at, base + at, settings, count, hasOutliers);
    markKept(maskY, y + at, base + at, settings + 24, count, hasOutliers);
    mergeRun(output + at, base + at, x + at, y + at, settings, maskX, maskY, count, true, false, elects);
  }
}

/** Where a quota ends: the mask of what the limits of one model leave of it. */
function markKept(mask: usize, x: usize, base: usize, limits: usize, n: i32, hasOutliers: bool): void {
  for (let i = 0; i < n; i += 8) {
    let bits = 0;
    for (let lane = 0; lane < min(8, n - i); lane++) {
      const key = reinterpret<i32>(singleOf(x) - singleOf(base)) & ABS;
      const isKept = isBeyond(key, limits) && !(hasOutliers && isBeyond(key, limits + 8));
      bits |= i32(isKept) << lane;
      x += 2;
      base += 2;
    }
    store<u8>(mask++, bits);
  }
}

/** What equals a threshold counts as beyond it for as long as the quota lasts. */
@inline
function isBeyond(key: i32, limit: usize): bool {
  const quota = load<u32>(limit, 4);
  if (key != load<i32>(limit) || quota == 0) return key > load<i32>(limit);
  store<u32>(limit, quota - 1, 4);
  return true;
}

/** What equals a threshold is above the key before it. */
@inline
function limit(keyAt: usize): v128 {
  const key = load<i32>(keyAt);
  return i32x4.splat(load<u32>(keyAt, 4) > 0 ? key - 1 : key);
}

/** Whether all that equals a threshold fits into its quota; where there is none, nothing has to. */
@inline
function hasRoom(quotaAt: usize, equals: v128): bool {
  const quota = load<u32>(quotaAt);
  return quota == 0 || addLanes(equals) <= quota;
}

@inline
function use(quotaAt: usize, equals: v128): void {
  const quota = load<u32>(quotaAt);
  if (quota > 0) store<u32>(quotaAt, quota - addLanes(equals));
}

/**
 * What is left of either is told by masks, or by keys as if quotas had room for all that equals a threshold.
 * @returns whether they have; otherwise what was written is of no use
 */
@inline
function mergeRun(
  output: usize,
  base: usize,
  x: usize,
  y: usize,
  settings: usize,
  maskX: usize,
  maskY: usize,
  n: i32,
  isMasked: bool,
  hasOutliers: bool,
  elects: bool,
): bool {
  const abs = i32x4.splat(ABS);
  const leastX = v128.load32_splat(settings, 0);
  const leastY = v128.load32_splat(settings, 24);
  const mostX = v128.load32_splat(settings, 8);
  const mostY = v128.load32_splat(settings, 32);
  const belowX = limit(settings);
  const belowY = limit(settings + 24);
  const insideX = limit(settings + 8);
  const insideY = limit(settings + 32);
  const ratio = v128.load32_splat(settings, 48);
  const margin = v128.load32_splat(settings, 52);
  const bothX = v128.load32_splat(settings, 20);
  const bothY = v128.load32_splat(settings, 44);
  const changeX = v128.xor(bothX, v128.load32_splat(settings, 16));
  const changeY = v128.xor(bothY, v128.load32_splat(settings, 40));
  let equalX = i32x4.splat(0);
  let equalY = equalX;
  let equalMostX = equalX;
  let equalMostY = equalX;
  let i = 0;
  do {
    const bits = v128.load(base);
    const bitsX = v128.load(x);
    const bitsY = v128.load(y);
    const b0 = evenSingles(bits);
    const b1 = oddSingles(bits);
    let x0 = f32x4.sub(evenSingles(bitsX), b0);
    let x1 = f32x4.sub(oddSingles(bitsX), b1);
    let y0 = f32x4.sub(evenSingles(bitsY), b0);
    let y1 = f32x4.sub(oddSingles(bitsY), b1);
    if (isMasked) {
      const bitsOfX = i32x4.splat(load<u8>(maskX++));
      const bitsOfY = i32x4.splat(load<u8>(maskY++));
      x0 = v128.and(x0, evenBits(bitsOfX));
      x1 = v128.and(x1, oddBits(bitsOfX));
      y0 = v128.and(y0, evenBits(bitsOfY));
      y1 = v128.and(y1, oddBits(bitsOfY));
    } else {
      const keyX0 = v128.and(x0, abs);
      const keyX1 = v128.and(x1, abs);
      const keyY0 = v128.and(y0, abs);
      const keyY1 = v128.and(y1, abs);
      x0 = v128.and(x0, i32x4.gt_s(keyX0, belowX));
      x1 = v128.and(x1, i32x4.gt_s(keyX1, belowX));
      y0 = v128.and(y0, i32x4.gt_s(keyY0, belowY));
      y1 = v128.and(y1, i32x4.gt_s(keyY1, belowY));
      equalX = i32x4.sub(equalX, i32x4.add(i32x4.eq(keyX0, leastX), i32x4.eq(keyX1, leastX)));
      equalY = i32x4.sub(equalY, i32x4.add(i32x4.eq(keyY0, leastY), i32x4.eq(keyY1, leastY)));
      if (hasOutliers) {
        x0 = v128.andnot(x0, i32x4.gt_s(keyX0, insideX));
        x1 = v128.andnot(x1, i32x4.gt_s(keyX1, insideX));
        y0 = v128.andnot(y0, i32x4.gt_s(keyY0, insideY));
        y1 = v128.andnot(y1, i32x4.gt_s(keyY1, insideY));
        equalMostX = i32x4.sub(equalMostX, i32x4.add(i32x4.eq(keyX0, mostX), i32x4.eq(keyX1, mostX)));
        equalMostY = i32x4.sub(equalMostY, i32x4.add(i32x4.eq(keyY0, mostY), i32x4.eq(keyY1, mostY)));
      }
    }
    if (elects) {
      x0 = elected(x0, y0, ratio, margin, bothX, bothY, changeX, changeY, settings);
      x1 = elected(x1, y1, ratio, margin, bothX, bothY, changeX, changeY, settings);
    } else {
      x0 = f32x4.add(f32x4.mul(x0, bothX), f32x4.mul(y0, bothY));
      x1 = f32x4.add(f32x4.mul(x1, bothX), f32x4.mul(y1, bothY));
    }
    v128.store(output, wovenBrains(f32x4.add(b0, x0), f32x4.add(b1, x1)));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
  if (isMasked) return true;
  if (!hasRoom(settings + 4, equalX) || !hasRoom(settings + 28, equalY)) return false;
  if (hasOutliers && (!hasRoom(settings + 12, equalMostX) || !hasRoom(settings + 36, equalMostY))) return false;
  use(settings + 4, equalX);
  use(settings + 28, equalY);
  if (hasOutliers) {
    use(settings + 12, equalMostX);
    use(settings + 36, equalMostY);
  }
  return true;
}

/**
 * What two task vectors add under the sign that they elect. A zero never agrees, a NaN always does, so that it is seen in
 * the result instead of lost.
 */
@inline
function elected(
  x: v128,
  y: v128,
  ratio: v128,
  margin: v128,
  bothX: v128,
  bothY: v128,
  changeX: v128,
  changeY: v128,
  settings: usize,
): v128 {
  const zero = f32x4.splat(0);
  const votes = f32x4.add(x, f32x4.mul(y, ratio));
  let isPositive = f32x4.ge(votes, zero);
  const unsure = isUnsure(votes, y, margin);
  if (i32x4.bitmask(unsure) != 0) {
    isPositive = v128.bitselect(electExactly(x, y, settings), isPositive, unsure);
  }
  const sign = v128.andnot(i32x4.splat(SIGN), isPositive);
  const silentX = f32x4.le(v128.xor(x, sign), zero);
  const silentY = f32x4.le(v128.xor(y, sign), zero);
  const isAlone = v128.or(silentX, silentY);
  const termX = f32x4.mul(x, v128.xor(bothX, v128.and(changeX, isAlone)));
  const termY = f32x4.mul(y, v128.xor(bothY, v128.and(changeY, isAlone)));
  return f32x4.add(v128.andnot(termX, silentX), v128.andnot(termY, silentY));
}

/** Lanes in which rounding may have turned the sign of the votes' sum. Without y's vote, the sign is that of x. */
@inline
function isUnsure(votes: v128, y: v128, margin: v128): v128 {
  const abs = i32x4.splat(ABS);
  return f32x4.lt(v128.and(votes, abs), f32x4.mul(v128.and(y, abs), margin));
}

/** Votes in f64, as more than two models have them. */
function electExactly(x: v128, y: v128, settings: usize): v128 {
  const zero = f64x2.splat(0);
  const voteX = v128.load64_splat(settings, 56);
  const voteY = v128.load64_splat(settings, 64);
  const votes0 = f64x2.add(f64x2.mul(low(x), voteX), f64x2.mul(low(y), voteY));
  const votes1 = f64x2.add(f64x2.mul(high(x), voteX), f64x2.mul(high(y), voteY));
  return v128.shuffle<i32>(f64x2.ge(votes0, zero), f64x2.ge(votes1, zero), 0, 2, 4, 6);
}
