// Which models changed an element (RAM, arXiv:2601.13572): a change is active when |x - base| is above epsilon. A NaN is
// active, so that it is seen in the result instead of lost.
//
// The table has one entry of 64 bytes a model: the input's address (u32 at 0), the factor of changes that this model alone
// made (f32 at 4, f64 at 8), and what is counted: unique and active changes (f64 at 16 and 24), in lanes from 32 and 48 on.

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
