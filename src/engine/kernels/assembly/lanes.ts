// What kernels do with the lanes of a vector, and to counters, whatever they compute. Inlined; no export of kernels.wasm.

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
