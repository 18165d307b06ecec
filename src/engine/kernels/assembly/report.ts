// What the merge report adds up over task vectors, in f64 whatever the work dtype.

import { addLanes } from './lanes';

/** Elements whose task vectors are formed together: those of a few models stay in the fastest cache. */
const PIECE: i32 = 256;
const PIECE_BYTES: usize = 256 * 8;

/**
 * Adds to `target` what n elements say about the task vectors d of `models` models: <d_i, d_j> for i <= j, row by row, in
 * f64; then as u32 how many elements at least two of them are not zero in, and in how many of those they have both signs;
 * then, where `output` is not 0, for each model how many elements are not zero, and in how many of those the output is not
 * the base. A NaN has no sign, but is not zero.
 *
 * `inputs` holds the addresses (u32 each) of the inputs in the work dtype, the base first where there is one; without it,
 * the plain mean of the models takes its place. `scratch` has room for `models` + 2 pieces.
 */
export function observeF32(
  inputs: usize,
  models: i32,
  hasBase: i32,
  output: usize,
  scratch: usize,
  target: usize,
  n: i32,
): void {
  observe<f32>(inputs, models, hasBase, output, scratch, target, n);
}

export function observeF64(
  inputs: usize,
  models: i32,
  hasBase: i32,
  output: usize,
  scratch: usize,
  target: usize,
  n: i32,
): void {
  observe<f64>(inputs, models, hasBase, output, scratch, target, n);
}

@inline
function observe<T>(
  inputs: usize,
  models: i32,
  hasBase: i32,
  output: usize,
  scratch: usize,
  target: usize,
  n: i32,
): void {
  const reference = scratch;
  const deltas = scratch + PIECE_BYTES;
  const counts = target + <usize>((models * (models + 1)) >> 1) * 8;
  const first = hasBase ? inputs + 4 : inputs;
  for (let i = 0; i < n; i += PIECE) {
    const count = min(PIECE, n - i);
    const at = <usize>i * sizeof<T>();
    if (hasBase) widen<T>(reference, <usize>load<u32>(inputs) + at, count);
    else formMean<T>(reference, inputs, models, at, count);
    for (let m = 0; m < models; m++) {
      formDelta<T>(deltas + <usize>m * PIECE_BYTES, <usize>load<u32>(first + (<usize>m << 2)) + at, reference, count);
    }
    addProducts(deltas, models, target, count);
    addConflicts(deltas, models, counts, count);
    if (output == 0) continue;
    const result = deltas + <usize>models * PIECE_BYTES;
    widen<T>(result, output + at, count);
    for (let m = 0; m < models; m++) {
      addKept(deltas + <usize>m * PIECE_BYTES, reference, result, counts + (<usize>(m + 1) << 3), count);
    }
  }
}

/** Two elements in f64. */
@inline
function pairAt<T>(at: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(at);
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

@inline
function widen<T>(target: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 2) v128.store(target + (<usize>i << 3), pairAt<T>(x + <usize>i * sizeof<T>()));
}

@inline
function formMean<T>(target: usize, inputs: usize, models: i32, at: usize, n: i32): void {
  const share = f64x2.splat(1 / <f64>models);
  const end = inputs + (<usize>models << 2);
  for (let i = 0; i < n; i += 2) {
    const from = at + <usize>i * sizeof<T>();
    let sum = pairAt<T>(<usize>load<u32>(inputs) + from);
    for (let entry = inputs + 4; entry < end; entry += 4) sum = f64x2.add(sum, pairAt<T>(<usize>load<u32>(entry) + from));
    v128.store(target + (<usize>i << 3), f64x2.mul(sum, share));
  }
}

/** x - reference, and zeros up to a multiple of four elements, which count for nothing. */
@inline
function formDelta<T>(delta: usize, x: usize, reference: usize, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    const at = <usize>i << 3;
    v128.store(delta + at, f64x2.sub(pairAt<T>(x + <usize>i * sizeof<T>()), v128.load(reference + at)));
  }
  for (let i = n; i & 3; i++) store<f64>(delta + (<usize>i << 3), 0);
}

function addProducts(deltas: usize, models: i32, target: usize, n: i32): void {
  const end = deltas + <usize>models * PIECE_BYTES;
  const bytes = <usize>n << 3;
  for (let row = deltas; row < end; row += PIECE_BYTES) {
    for (let column = row; column < end; column += PIECE_BYTES) {
      let sum0 = f64x2.splat(0);
      let sum1 = sum0;
      for (let at: usize = 0; at < bytes; at += 32) {
        sum0 = f64x2.add(sum0, f64x2.mul(v128.load(row + at), v128.load(column + at)));
        sum1 = f64x2.add(sum1, f64x2.mul(v128.load(row + at, 16), v128.load(column + at, 16)));
      }
      const sum = f64x2.add(sum0, sum1);
      store<f64>(target, load<f64>(target) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
      target += 8;
    }
  }
}

function addConflicts(deltas: usize, models: i32, target: usize, n: i32): void {
  const zero = f64x2.splat(0);
  const end = deltas + <usize>models * PIECE_BYTES;
  let contested = i64x2.splat(0);
  let conflicting = contested;
  for (let i = 0; i < n; i += 2) {
    const at = <usize>i << 3;
    let positive = i64x2.splat(0);
    let negative = positive;
    let shared = positive;
    for (let row = deltas; row < end; row += PIECE_BYTES) {
      const delta = v128.load(row + at);
      const above = f64x2.gt(delta, zero);
      const below = f64x2.lt(delta, zero);
      shared = v128.or(shared, v128.and(v128.or(positive, negative), v128.or(above, below)));
      positive = v128.or(positive, above);
      negative = v128.or(negative, below);
    }
    contested = i64x2.sub(contested, shared);
    conflicting = i64x2.sub(conflicting, v128.and(positive, negative));
  }
  count(target, contested, conflicting);
}

function addKept(delta: usize, base: usize, output: usize, target: usize, n: i32): void {
  const zero = f64x2.splat(0);
  let filled = i64x2.splat(0);
  let kept = filled;
  for (let i = 0; i < n; i += 2) {
    const at = <usize>i << 3;
    const isFilled = f64x2.ne(v128.load(delta + at), zero);
    filled = i64x2.sub(filled, isFilled);
    kept = i64x2.sub(kept, v128.and(isFilled, f64x2.ne(v128.load(output + at), v128.load(base + at))));
  }
  count(target, filled, kept);
}

/** Adds two sums of 64-bit lanes, whose upper halves are zero, to two u32. */
@inline
function count(target: usize, first: v128, second: v128): void {
  store<u32>(target, load<u32>(target) + addLanes(first));
  store<u32>(target, load<u32>(target, 4) + addLanes(second), 4);
}
