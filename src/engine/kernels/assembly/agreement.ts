// Which models changed an element (RAM, arXiv:2601.13572): a change is active when |x - base| is above epsilon. A NaN is
// active, so that it is seen in the result instead of lost.
//
// The table has one entry of 64 bytes a model: the input's address (u32 at 0), the factor of changes that this model alone
// made (f32 at 4, f64 at 8), and what is counted: unique and active changes (f64 at 16 and 24), in lanes from 32 and 48 on.

import { addLanes, evenSingles, lastOf, oddSingles, wovenBrains } from './lanes';

const MODEL_BYTES: usize = 64;

@inline
function deltaAt<T>(entry: usize, at: usize, base: v128): v128 {
  return v128.sub<T>(v128.load(<usize>load<u32>(entry) + at), base);
}

@inline
function isActive<T>(delta: v128, epsilon: v128): v128 {
  return v128.not(v128.le<T>(v128.abs<T>(delta), epsilon));
}

@inline
function mergeActive<T>(output: usize, base: usize, table: usize, models: i32, epsilon: T, n: i32): void {
  const zero = v128.splat<T>(0);
  const one = v128.splat<T>(1);
  const least = v128.splat<T>(epsilon);
  const end = table + <usize>models * MODEL_BYTES;
  const bytes = <usize>n * sizeof<T>();
  for (let at: usize = 0; at < bytes; at += 16) {
    const origin = v128.load(base + at);
    let sum = zero;
    let alone = zero;
    let count = zero;
    for (let entry = table; entry < end; entry += MODEL_BYTES) {
      const delta = deltaAt<T>(entry, at, origin);
      const active = isActive<T>(delta, least);
      const change = v128.and(delta, active);
      const factor = sizeof<T>() == 4 ? v128.load32_splat(entry, 4) : v128.load64_splat(entry, 8);
      sum = v128.add<T>(sum, change);
      alone = v128.add<T>(alone, v128.mul<T>(change, factor));
      count = v128.add<T>(count, v128.and(one, active));
    }
    const mean = v128.div<T>(sum, v128.max<T>(count, one));
    const change = v128.bitselect(alone, mean, v128.eq<T>(count, one));
    v128.store(output + at, v128.add<T>(origin, change));
  }
}

@inline
function countActive<T>(base: usize, table: usize, models: i32, epsilon: T, n: i32): void {
  const zero = v128.splat<T>(0);
  const one = v128.splat<T>(1);
  const least = v128.splat<T>(epsilon);
  const end = table + <usize>models * MODEL_BYTES;
  const bytes = <usize>n * sizeof<T>();
  for (let entry = table; entry < end; entry += MODEL_BYTES) {
    v128.store(entry, zero, 32);
    v128.store(entry, zero, 48);
  }
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const origin = v128.load(base + at);
    let count = zero;
    for (let entry = table; entry < end; entry += MODEL_BYTES) {
      count = v128.add<T>(count, v128.and(one, isActive<T>(deltaAt<T>(entry, at, origin), least)));
    }
    const unique = v128.and(one, v128.eq<T>(count, one));
    for (let entry = table; entry < end; entry += MODEL_BYTES) {
      const active = isActive<T>(deltaAt<T>(entry, at, origin), least);
      v128.store(entry, v128.add<T>(v128.load(entry, 32), v128.and(unique, active)), 32);
      v128.store(entry, v128.add<T>(v128.load(entry, 48), v128.and(one, active)), 48);
    }
  }
  for (; at < bytes; at += sizeof<T>()) {
    let count = 0;
    for (let entry = table; entry < end; entry += MODEL_BYTES) count += i32(isActiveAt<T>(entry, base, at, epsilon));
    for (let entry = table; entry < end; entry += MODEL_BYTES) {
      if (!isActiveAt<T>(entry, base, at, epsilon)) continue;
      if (count == 1) store<T>(entry, load<T>(entry, 32) + 1, 32);
      store<T>(entry, load<T>(entry, 48) + 1, 48);
    }
  }
  for (let entry = table; entry < end; entry += MODEL_BYTES) {
    store<f64>(entry, sumOfLanes<T>(entry + 32), 16);
    store<f64>(entry, sumOfLanes<T>(entry + 48), 24);
  }
}

@inline
function isActiveAt<T>(entry: usize, base: usize, at: usize, epsilon: T): bool {
  return !(abs<T>(load<T>(<usize>load<u32>(entry) + at) - load<T>(base + at)) <= epsilon);
}

@inline
function sumOfLanes<T>(lanes: usize): f64 {
  let sum: f64 = 0;
  for (let at: usize = 0; at < 16; at += sizeof<T>()) sum += <f64>load<T>(lanes + at);
  return sum;
}

/** output = base + the change that one model alone made, times its factor, or the mean of several models' changes. */
export function mergeActiveF32(output: usize, base: usize, table: usize, models: i32, epsilon: f32, n: i32): void {
  mergeActive<f32>(output, base, table, models, epsilon, n);
}
export function mergeActiveF64(output: usize, base: usize, table: usize, models: i32, epsilon: f64, n: i32): void {
  mergeActive<f64>(output, base, table, models, epsilon, n);
}

/** Counts each model's active changes, and those of them that nobody else made, in a block of less than 2^24 elements. */
export function countActiveF32(base: usize, table: usize, models: i32, epsilon: f32, n: i32): void {
  countActive<f32>(base, table, models, epsilon, n);
}
export function countActiveF64(base: usize, table: usize, models: i32, epsilon: f64, n: i32): void {
  countActive<f64>(base, table, models, epsilon, n);
}

/** The same of two models from bf16 to bf16, as they are stored; each with its factor. */
export function mergeActivePairBF16(
  output: usize,
  base: usize,
  x: usize,
  y: usize,
  factorX: f32,
  factorY: f32,
  epsilon: f32,
  n: i32,
): void {
  const least = f32x4.splat(epsilon);
  const timesX = f32x4.splat(factorX);
  const timesY = f32x4.splat(factorY);
  let i = 0;
  do {
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const even = withChange(evenSingles(bases), evenSingles(xs), evenSingles(ys), timesX, timesY, least);
    const odd = withChange(oddSingles(bases), oddSingles(xs), oddSingles(ys), timesX, timesY, least);
    v128.store(output, wovenBrains(even, odd));
    output += 16;
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
}

@inline
function withChange(base: v128, x: v128, y: v128, timesX: v128, timesY: v128, least: v128): v128 {
  const zero = f32x4.splat(0);
  const deltaX = f32x4.sub(x, base);
  const deltaY = f32x4.sub(y, base);
  const isSmallX = isSmall(deltaX, least);
  const isSmallY = isSmall(deltaY, least);
  const changeX = v128.andnot(deltaX, isSmallX);
  const changeY = v128.andnot(deltaY, isSmallY);
  // Sums begin with zero, as those of any number of models do: so that none is -0.
  const sum = f32x4.add(f32x4.add(zero, changeX), changeY);
  const alone = f32x4.add(f32x4.add(zero, f32x4.mul(changeX, timesX)), f32x4.mul(changeY, timesY));
  const mean = f32x4.mul(sum, f32x4.splat(0.5));
  return f32x4.add(base, v128.bitselect(alone, mean, v128.xor(isSmallX, isSmallY)));
}

@inline
function isSmall(delta: v128, least: v128): v128 {
  return f32x4.le(v128.and(delta, i32x4.splat(0x7fffffff)), least);
}

/**
 * Counts the active changes of two models of bf16 as they are stored: those that x alone made, all of x, those that y alone
 * made, all of y (f64 each at `target`). `epsilon` is not below 0.
 */
export function countActivePairBF16(base: usize, x: usize, y: usize, target: usize, epsilon: f32, n: i32): void {
  const least = f32x4.splat(epsilon);
  let smallX = i32x4.splat(0);
  let smallY = smallX;
  let aloneX = smallX;
  let aloneY = smallX;
  let i = 0;
  do {
    if (i + 8 > n) {
      base = lastOf(base, 0, n - i);
      x = lastOf(x, 1, n - i);
      y = lastOf(y, 2, n - i);
    }
    const bases = v128.load(base);
    const xs = v128.load(x);
    const ys = v128.load(y);
    const evenX = isSmall(f32x4.sub(evenSingles(xs), evenSingles(bases)), least);
    const evenY = isSmall(f32x4.sub(evenSingles(ys), evenSingles(bases)), least);
    const oddX = isSmall(f32x4.sub(oddSingles(xs), oddSingles(bases)), least);
    const oddY = isSmall(f32x4.sub(oddSingles(ys), oddSingles(bases)), least);
    smallX = i32x4.add(smallX, i32x4.add(evenX, oddX));
    smallY = i32x4.add(smallY, i32x4.add(evenY, oddY));
    aloneX = i32x4.add(aloneX, i32x4.add(v128.andnot(evenY, evenX), v128.andnot(oddY, oddX)));
    aloneY = i32x4.add(aloneY, i32x4.add(v128.andnot(evenX, evenY), v128.andnot(oddX, oddY)));
    base += 16;
    x += 16;
    y += 16;
    i += 8;
  } while (i < n);
  // Lanes count downwards, and padding counts as small.
  const all = (n + 7) & ~7;
  store<f64>(target, <f64>-<i32>addLanes(aloneX));
  store<f64>(target, <f64>(all + <i32>addLanes(smallX)), 8);
  store<f64>(target, <f64>-<i32>addLanes(aloneY), 16);
  store<f64>(target, <f64>(all + <i32>addLanes(smallY)), 24);
}
