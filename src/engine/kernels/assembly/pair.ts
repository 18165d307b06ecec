// Two task vectors, the commonest merge: what remains of both is merged in registers, from bf16 as it is stored to bf16.
//
// The settings of a merge, 80 bytes. For each model, 24 bytes apart: the key above which elements are kept (i32 at 0) and how
// many equal to it are kept too (u32 at 4); the key above which they are left out as outliers (i32 at 8) and how many equal
// to that are left out too (u32 at 12); its coefficient where it stands alone (f32 at 16) and together with the other (f32 at
// 20). Then the ratio of y's vote to x's, at least 1 (f32 at 48), the sum of votes, relative to y, below which f32 is unsure
// of its sign (f32 at 52), and both votes (f64 at 56 and 64). A sum of exactly zero elects +.

import { addLanes, brains, high, highSingles, laneBits, low, lowSingles, taken } from './lanes';

const ABS: i32 = 0x7fffffff;
const SIGN: i32 = 0x80000000;

/** base + what the two elect: x and y are what remains of the task vectors. Of the settings, only those after the keys. */
export function electPairF32(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  const zero = f32x4.splat(0);
  const ratio = v128.load32_splat(settings, 48);
  const margin = v128.load32_splat(settings, 52);
  const bothX = v128.load32_splat(settings, 20);
  const bothY = v128.load32_splat(settings, 44);
  const changeX = v128.xor(bothX, v128.load32_splat(settings, 16));
  const changeY = v128.xor(bothY, v128.load32_splat(settings, 40));
  for (let i = 0; i < n; i += 4) {
    const deltaX = v128.load(x);
    const deltaY = v128.load(y);
    const votes = f32x4.add(deltaX, f32x4.mul(deltaY, ratio));
    let isPositive = f32x4.ge(votes, zero);
    const unsure = isUnsure(votes, deltaY, margin);
    if (v128.any_true(unsure)) {
      isPositive = v128.bitselect(electExactly(deltaX, deltaY, settings), isPositive, unsure);
    }
    const sum = elected(deltaX, deltaY, isPositive, bothX, bothY, changeX, changeY);
    v128.store(output, f32x4.add(v128.load(base), sum));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
  }
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

/** Elements for which quotas are looked at once. */
const RUN: i32 = 512;

/** How a run tells what is left: by masks; by keys where no quota ends, and what equals a threshold is only counted; by keys. */
const BY_MASK: i32 = 0;
const COUNTED: i32 = 1;
const ONE_BY_ONE: i32 = 2;

/** The same of what masks of one bit an element leave of either (u32 at 72 and 76: where they lie). */
export function maskElectPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  mergeRun(output, base, x, y, settings, n, BY_MASK, false, true);
}

export function maskSumPairBF16(output: usize, base: usize, x: usize, y: usize, settings: usize, n: i32): void {
  mergeRun(output, base, x, y, settings, n, BY_MASK, false, false);
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
  for (let i = 0; i < n; i += RUN) {
    const count = min(RUN, n - i);
    const at = <usize>i << 1;
    const isCounted = hasRoom(settings + 4, count) && hasRoom(settings + 28, count);
    const isCountedAbove = !hasOutliers || (hasRoom(settings + 12, count) && hasRoom(settings + 36, count));
    if (isCounted && isCountedAbove) {
      mergeRun(output + at, base + at, x + at, y + at, settings, count, COUNTED, hasOutliers, elects);
    } else {
      mergeRun(output + at, base + at, x + at, y + at, settings, count, ONE_BY_ONE, hasOutliers, elects);
    }
  }
}

/** However many are equal, all fit into the quota, or none does: nobody needs to know where they are. */
@inline
function hasRoom(quotaAt: usize, n: i32): bool {
  const quota = load<u32>(quotaAt);
  return quota == 0 || quota >= <u32>n;
}

/** What equals a threshold is above the key before it. */
@inline
function limit(keyAt: usize, isCounted: bool): v128 {
  const key = load<i32>(keyAt);
  return i32x4.splat(isCounted && load<u32>(keyAt, 4) > 0 ? key - 1 : key);
}

@inline
function use(quotaAt: usize, equals: v128): void {
  const quota = load<u32>(quotaAt);
  // Padding behind a tensor's last element may count too.
  if (quota > 0) store<u32>(quotaAt, quota - min(quota, addLanes(equals)));
}

@inline
function mergeRun(
  output: usize,
  base: usize,
  x: usize,
  y: usize,
  settings: usize,
  n: i32,
  selects: i32,
  hasOutliers: bool,
  elects: bool,
): void {
  const isCounted = selects == COUNTED;
  let maskX: usize = 0;
  let maskY: usize = 0;
  if (selects == BY_MASK) {
    maskX = load<u32>(settings, 72);
    maskY = load<u32>(settings, 76);
  }
  const zero = f32x4.splat(0);
  const abs = i32x4.splat(ABS);
  const leastX = v128.load32_splat(settings, 0);
  const leastY = v128.load32_splat(settings, 24);
  const mostX = v128.load32_splat(settings, 8);
  const mostY = v128.load32_splat(settings, 32);
  const belowX = limit(settings, isCounted);
  const belowY = limit(settings + 24, isCounted);
  const insideX = limit(settings + 8, isCounted);
  const insideY = limit(settings + 32, isCounted);
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
  for (let i = 0; i < n; i += 8) {
    const bits = v128.load(base);
    const b0 = lowSingles(bits);
    const b1 = highSingles(bits);
    const bitsX = v128.load(x);
    const bitsY = v128.load(y);
    let x0 = f32x4.sub(lowSingles(bitsX), b0);
    let x1 = f32x4.sub(highSingles(bitsX), b1);
    let y0 = f32x4.sub(lowSingles(bitsY), b0);
    let y1 = f32x4.sub(highSingles(bitsY), b1);
    let keptX0: v128;
    let keptX1: v128;
    let keptY0: v128;
    let keptY1: v128;
    if (selects == BY_MASK) {
      const bitsOfX = load<u8>(maskX++);
      const bitsOfY = load<u8>(maskY++);
      keptX0 = laneBits(bitsOfX);
      keptX1 = laneBits(bitsOfX >> 4);
      keptY0 = laneBits(bitsOfY);
      keptY1 = laneBits(bitsOfY >> 4);
    } else {
      const keyX0 = v128.and(x0, abs);
      const keyX1 = v128.and(x1, abs);
      const keyY0 = v128.and(y0, abs);
      const keyY1 = v128.and(y1, abs);
      keptX0 = i32x4.gt_s(keyX0, belowX);
      keptX1 = i32x4.gt_s(keyX1, belowX);
      keptY0 = i32x4.gt_s(keyY0, belowY);
      keptY1 = i32x4.gt_s(keyY1, belowY);
      if (hasOutliers) {
        keptX0 = v128.andnot(keptX0, i32x4.gt_s(keyX0, insideX));
        keptX1 = v128.andnot(keptX1, i32x4.gt_s(keyX1, insideX));
        keptY0 = v128.andnot(keptY0, i32x4.gt_s(keyY0, insideY));
        keptY1 = v128.andnot(keptY1, i32x4.gt_s(keyY1, insideY));
      }
      if (isCounted) {
        equalX = i32x4.sub(equalX, i32x4.add(i32x4.eq(keyX0, leastX), i32x4.eq(keyX1, leastX)));
        equalY = i32x4.sub(equalY, i32x4.add(i32x4.eq(keyY0, leastY), i32x4.eq(keyY1, leastY)));
        if (hasOutliers) {
          equalMostX = i32x4.sub(equalMostX, i32x4.add(i32x4.eq(keyX0, mostX), i32x4.eq(keyX1, mostX)));
          equalMostY = i32x4.sub(equalMostY, i32x4.add(i32x4.eq(keyY0, mostY), i32x4.eq(keyY1, mostY)));
        }
      } else {
        keptX0 = v128.or(keptX0, taken(i32x4.eq(keyX0, leastX), settings + 4));
        keptX1 = v128.or(keptX1, taken(i32x4.eq(keyX1, leastX), settings + 4));
        keptY0 = v128.or(keptY0, taken(i32x4.eq(keyY0, leastY), settings + 28));
        keptY1 = v128.or(keptY1, taken(i32x4.eq(keyY1, leastY), settings + 28));
        if (hasOutliers) {
          keptX0 = v128.andnot(keptX0, taken(i32x4.eq(keyX0, mostX), settings + 12));
          keptX1 = v128.andnot(keptX1, taken(i32x4.eq(keyX1, mostX), settings + 12));
          keptY0 = v128.andnot(keptY0, taken(i32x4.eq(keyY0, mostY), settings + 36));
          keptY1 = v128.andnot(keptY1, taken(i32x4.eq(keyY1, mostY), settings + 36));
        }
      }
    }
    x0 = v128.and(x0, keptX0);
    x1 = v128.and(x1, keptX1);
    y0 = v128.and(y0, keptY0);
    y1 = v128.and(y1, keptY1);
    if (elects) {
      const votes0 = f32x4.add(x0, f32x4.mul(y0, ratio));
      const votes1 = f32x4.add(x1, f32x4.mul(y1, ratio));
      let isPositive0 = f32x4.ge(votes0, zero);
      let isPositive1 = f32x4.ge(votes1, zero);
      const isUnsure0 = isUnsure(votes0, y0, margin);
      const isUnsure1 = isUnsure(votes1, y1, margin);
      if (v128.any_true(v128.or(isUnsure0, isUnsure1))) {
        isPositive0 = v128.bitselect(electExactly(x0, y0, settings), isPositive0, isUnsure0);
        isPositive1 = v128.bitselect(electExactly(x1, y1, settings), isPositive1, isUnsure1);
      }
      x0 = elected(x0, y0, isPositive0, bothX, bothY, changeX, changeY);
      x1 = elected(x1, y1, isPositive1, bothX, bothY, changeX, changeY);
    } else {
      x0 = f32x4.add(f32x4.mul(x0, bothX), f32x4.mul(y0, bothY));
      x1 = f32x4.add(f32x4.mul(x1, bothX), f32x4.mul(y1, bothY));
    }
    v128.store(output, brains(f32x4.add(b0, x0), f32x4.add(b1, x1)));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
  }
  if (isCounted) {
    use(settings + 4, equalX);
    use(settings + 28, equalY);
    if (hasOutliers) {
      use(settings + 12, equalMostX);
      use(settings + 36, equalMostY);
    }
  }
}

/** Lanes in which rounding may have turned the sign of the votes' sum. Without y's vote, the sign is that of x. */
@inline
function isUnsure(votes: v128, y: v128, margin: v128): v128 {
  return f32x4.lt(f32x4.abs(votes), f32x4.mul(f32x4.abs(y), margin));
}

/**
 * What two task vectors add under the sign that they elect. A zero never agrees, a NaN always does, so that it is seen in
 * the result instead of lost.
 */
@inline
function elected(
  x: v128,
  y: v128,
  isPositive: v128,
  bothX: v128,
  bothY: v128,
  changeX: v128,
  changeY: v128,
): v128 {
  const zero = f32x4.splat(0);
  const sign = v128.andnot(i32x4.splat(SIGN), isPositive);
  const silentX = f32x4.le(v128.xor(x, sign), zero);
  const silentY = f32x4.le(v128.xor(y, sign), zero);
  const isAlone = v128.or(silentX, silentY);
  const termX = f32x4.mul(x, v128.xor(bothX, v128.and(changeX, isAlone)));
  const termY = f32x4.mul(y, v128.xor(bothY, v128.and(changeY, isAlone)));
  return f32x4.add(v128.andnot(termX, silentX), v128.andnot(termY, silentY));
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
