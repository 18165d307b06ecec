// What the merge report counts in one block of task vectors, in f64 whatever the work dtype. Results are stored as u32.

/**
 * Stores at `target` how many elements at least two of the deltas are non-zero in, then in how many of those they have
 * both signs. `table` holds the deltas' addresses (u32 each). A NaN counts as zero.
 */
export function countConflicts(table: usize, models: i32, target: usize, n: i32): void {
  const zero = f64x2.splat(0);
  let contested = i64x2.splat(0);
  let conflicting = contested;
  const end = table + (<usize>models << 2);
  for (let i = 0; i < n; i += 2) {
    const at = <usize>i << 3;
    let positive = i64x2.splat(0);
    let negative = positive;
    let shared = positive;
    for (let entry = table; entry < end; entry += 4) {
      const delta = v128.load(<usize>load<u32>(entry) + at);
      const above = f64x2.gt(delta, zero);
      const below = f64x2.lt(delta, zero);
      shared = v128.or(shared, v128.and(v128.or(positive, negative), v128.or(above, below)));
      positive = v128.or(positive, above);
      negative = v128.or(negative, below);
    }
    const isInside = i + 1 < n ? i64x2.splat(-1) : i64x2(-1, 0);
    contested = i64x2.sub(contested, v128.and(shared, isInside));
    conflicting = i64x2.sub(conflicting, v128.and(v128.and(positive, negative), isInside));
  }
  store<u32>(target, <u32>(i64x2.extract_lane(contested, 0) + i64x2.extract_lane(contested, 1)));
  store<u32>(target, <u32>(i64x2.extract_lane(conflicting, 0) + i64x2.extract_lane(conflicting, 1)), 4);
}

/** Stores at `target` how many elements of a delta are not zero, then in how many of those the result is not the base. */
export function countKept(delta: usize, base: usize, output: usize, target: usize, n: i32): void {
  const zero = f64x2.splat(0);
  let filled = i64x2.splat(0);
  let kept = filled;
  for (let i = 0; i < n; i += 2) {
    const at = <usize>i << 3;
    const isInside = i + 1 < n ? i64x2.splat(-1) : i64x2(-1, 0);
    const isFilled = v128.and(f64x2.ne(v128.load(delta + at), zero), isInside);
    filled = i64x2.sub(filled, isFilled);
    kept = i64x2.sub(kept, v128.and(isFilled, f64x2.ne(v128.load(output + at), v128.load(base + at))));
  }
  store<u32>(target, <u32>(i64x2.extract_lane(filled, 0) + i64x2.extract_lane(filled, 1)));
  store<u32>(target, <u32>(i64x2.extract_lane(kept, 0) + i64x2.extract_lane(kept, 1)), 4);
}
