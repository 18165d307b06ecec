// NaN and infinity in stored floats, found by their bits. Counts are added to two u32 at `target`: NaN, then infinite.

@inline
function add(target: usize, nan: i32, infinite: i32): void {
  store<u32>(target, load<u32>(target) + nan);
  store<u32>(target, load<u32>(target, 4) + infinite, 4);
}

/** Of 16-bit floats whose +infinity has the bits `infinity`: 0x7f80 for bf16, 0x7c00 for f16. */
export function countSpecial16(x: usize, infinity: i32, target: usize, n: i32): void {
  const magnitude = i16x8.splat(0x7fff);
  const limit = i16x8.splat(<i16>infinity);
  let i = 0;
  // Up to the first: next to never is there any.
  for (; i + 32 <= n; i += 32) {
    const first = i16x8.max_s(v128.and(v128.load(x), magnitude), v128.and(v128.load(x, 16), magnitude));
    const second = i16x8.max_s(v128.and(v128.load(x, 32), magnitude), v128.and(v128.load(x, 48), magnitude));
    if (v128.any_true(i16x8.ge_s(i16x8.max_s(first, second), limit))) break;
    x += 64;
  }
  for (; i + 8 <= n; i += 8) {
    const bits = v128.and(v128.load(x), magnitude);
    if (v128.any_true(i16x8.ge_s(bits, limit))) {
      add(target, popcnt(i16x8.bitmask(i16x8.gt_s(bits, limit))), popcnt(i16x8.bitmask(i16x8.eq(bits, limit))));
    }
    x += 16;
  }
  for (; i < n; i++) {
    const bits = <i32>load<u16>(x) & 0x7fff;
    add(target, i32(bits > infinity), i32(bits == infinity));
    x += 2;
  }
}

export function countSpecial32(x: usize, target: usize, n: i32): void {
  const magnitude = i32x4.splat(0x7fffffff);
  const limit = i32x4.splat(0x7f800000);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const bits = v128.and(v128.load(x), magnitude);
    if (v128.any_true(i32x4.ge_s(bits, limit))) {
      add(target, popcnt(i32x4.bitmask(i32x4.gt_s(bits, limit))), popcnt(i32x4.bitmask(i32x4.eq(bits, limit))));
    }
    x += 16;
  }
  for (; i < n; i++) {
    const bits = load<i32>(x) & 0x7fffffff;
    add(target, i32(bits > 0x7f800000), i32(bits == 0x7f800000));
    x += 4;
  }
}

export function countSpecial64(x: usize, target: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const bits = load<i64>(x) & 0x7fffffffffffffff;
    if (bits >= 0x7ff0000000000000) add(target, i32(bits > 0x7ff0000000000000), i32(bits == 0x7ff0000000000000));
    x += 8;
  }
}
