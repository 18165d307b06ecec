// Reductions over one canonical block. Element i adds to lane i mod 8 and the lanes meet in one fixed tree, so a sum
// depends on the block alone: not on threads, chunks or the machine.

const LANES = memory.data(64, 16);

@inline
function sumLanes(): f64 {
  const a = load<f64>(LANES) + load<f64>(LANES, 8);
  const b = load<f64>(LANES, 16) + load<f64>(LANES, 24);
  const c = load<f64>(LANES, 32) + load<f64>(LANES, 40);
  const d = load<f64>(LANES, 48) + load<f64>(LANES, 56);
  return a + b + (c + d);
}

@inline
function storeLanes(a: v128, b: v128, c: v128, d: v128): void {
  v128.store(LANES, a);
  v128.store(LANES, b, 16);
  v128.store(LANES, c, 32);
  v128.store(LANES, d, 48);
}

@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
}

/** Inner product in f64 of two f32 blocks. */
export function dotF32(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    a = f64x2.add(a, f64x2.mul(low(x0), low(y0)));
    b = f64x2.add(b, f64x2.mul(high(x0), high(y0)));
    c = f64x2.add(c, f64x2.mul(low(x1), low(y1)));
    d = f64x2.add(d, f64x2.mul(high(x1), high(y1)));
    x += 32;
    y += 32;
  }
  storeLanes(a, b, c, d);
  for (let lane = LANES; i < n; i++) {
    store<f64>(lane, load<f64>(lane) + <f64>load<f32>(x) * <f64>load<f32>(y));
    lane += 8;
    x += 4;
    y += 4;
  }
  return sumLanes();
}

export function dotF64(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    a = f64x2.add(a, f64x2.mul(v128.load(x), v128.load(y)));
    b = f64x2.add(b, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    c = f64x2.add(c, f64x2.mul(v128.load(x, 32), v128.load(y, 32)));
    d = f64x2.add(d, f64x2.mul(v128.load(x, 48), v128.load(y, 48)));
    x += 64;
    y += 64;
  }
  storeLanes(a, b, c, d);
  for (let lane = LANES; i < n; i++) {
    store<f64>(lane, load<f64>(lane) + load<f64>(x) * load<f64>(y));
    lane += 8;
    x += 8;
    y += 8;
  }
  return sumLanes();
}

/** Sum of magnitudes in f64 of those elements whose key (bits without the sign) is at least `key`. */
export function sumMagnitudesF32(x: usize, key: u32, n: i32): f64 {
  storeLanes(f64x2.splat(0), f64x2.splat(0), f64x2.splat(0), f64x2.splat(0));
  for (let i = 0; i < n; i++) {
    const bits = load<u32>(x) & 0x7fffffff;
    if (bits >= key) {
      const lane = LANES + ((i & 7) << 3);
      store<f64>(lane, load<f64>(lane) + <f64>reinterpret<f32>(bits));
    }
    x += 4;
  }
  return sumLanes();
}

export function sumMagnitudesF64(x: usize, key: u64, n: i32): f64 {
  storeLanes(f64x2.splat(0), f64x2.splat(0), f64x2.splat(0), f64x2.splat(0));
  for (let i = 0; i < n; i++) {
    const bits = load<u64>(x) & 0x7fffffffffffffff;
    if (bits >= key) {
      const lane = LANES + ((i & 7) << 3);
      store<f64>(lane, load<f64>(lane) + reinterpret<f64>(bits));
    }
    x += 8;
  }
  return sumLanes();
}
