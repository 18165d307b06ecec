import { demoted, evenSingles, high, low, oddSingles, wovenBrains } from './lanes';

/** Nearer than this, values count as this far apart. */
const NEAREST: f64 = 1e-6;

/** w x + (1 - w) base with w = t / max(|x - base|, 1e-6), within [0, 1]. A NaN stays one, as it does in pmin and pmax. */
@inline
function moved(there: v128, here: v128, t: f64): v128 {
  const one = f64x2.splat(1);
  const abs = i64x2.splat(0x7fffffffffffffff);
  const distance = f64x2.pmax(v128.and(f64x2.sub(there, here), abs), f64x2.splat(NEAREST));
  const share = f64x2.pmax(f64x2.pmin(f64x2.div(f64x2.splat(t), distance), one), f64x2.splat(0));
  // A share of -0 would change the sign of a zero.
  const w = v128.and(share, abs);
  return f64x2.add(f64x2.mul(w, there), f64x2.mul(f64x2.sub(one, w), here));
}

@inline
function movedSingles(there: v128, here: v128, t: f64): v128 {
  return demoted(moved(low(there), low(here), t), moved(high(there), high(here), t));
}

/** Far above every weight, and still an f32. */
const FURTHEST: f64 = 3e38;

/**
 * The same of a t that is not below 1e-6, without a share: the value is moved up to the other one, but no further than t. The
 * latter in two parts, so that nothing is lost where the base nearly cancels it.
 */
@inline
function within(there: v128, here: v128, part: v128, rest: v128): v128 {
  const lowest = f32x4.sub(f32x4.sub(here, part), rest);
  const highest = f32x4.add(f32x4.add(here, part), rest);
  const nearest = f32x4.pmax(f32x4.pmin(there, highest), lowest);
  // A NaN of the other one has stayed, one of the base is put back.
  return v128.or(nearest, f32x4.ne(here, here));
}

/** A t below 1e-6 in f64, because 1 - w of a w that was rounded to f32 may have lost all that the base's product is worth. */
export function nearswapF32(output: usize, x: usize, base: usize, t: f64, n: i32): void {
  if (t >= NEAREST) swapSingles(output, x, base, t, n, true);
  else swapSingles(output, x, base, t, n, false);
}

/** The same from bf16 to bf16, as they are stored. */
export function nearswapBF16(output: usize, x: usize, base: usize, t: f64, n: i32): void {
  if (t >= NEAREST) swapBrains(output, x, base, t, n, true);
  else swapBrains(output, x, base, t, n, false);
}

@inline
function swapSingles(output: usize, x: usize, base: usize, t: f64, n: i32, isWithin: bool): void {
  const part = f32x4.splat(partOf(t));
  const rest = f32x4.splat(restOf(t));
  let i = 0;
  do {
    v128.store(output, swapped(v128.load(x), v128.load(base), t, part, rest, isWithin));
    output += 16;
    x += 16;
    base += 16;
    i += 4;
  } while (i < n);
}

@inline
function swapBrains(output: usize, x: usize, base: usize, t: f64, n: i32, isWithin: bool): void {
  const part = f32x4.splat(partOf(t));
  const rest = f32x4.splat(restOf(t));
  let i = 0;
  do {
    const there = v128.load(x);
    const here = v128.load(base);
    const even = swapped(evenSingles(there), evenSingles(here), t, part, rest, isWithin);
    const odd = swapped(oddSingles(there), oddSingles(here), t, part, rest, isWithin);
    v128.store(output, wovenBrains(even, odd));
    output += 16;
    x += 16;
    base += 16;
    i += 8;
  } while (i < n);
}

@inline
function swapped(there: v128, here: v128, t: f64, part: v128, rest: v128, isWithin: bool): v128 {
  return isWithin ? within(there, here, part, rest) : movedSingles(there, here, t);
}

@inline
function partOf(t: f64): f32 {
  return <f32>min(t, FURTHEST);
}

@inline
function restOf(t: f64): f32 {
  return <f32>(min(t, FURTHEST) - <f64>partOf(t));
}

export function nearswapF64(output: usize, x: usize, base: usize, t: f64, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    v128.store(output, moved(v128.load(x), v128.load(base), t));
    output += 16;
    x += 16;
    base += 16;
  }
}
