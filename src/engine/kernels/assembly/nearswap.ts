import { demoted, high, low } from './lanes';

/** Nearer than this, values count as this far apart. */
const NEAREST: f64 = 1e-6;

/** w x + (1 - w) base with w = t / max(|x - base|, 1e-6), within [0, 1]; a NaN stays one. */
@inline
function moved(there: v128, here: v128, t: f64): v128 {
  const one = f64x2.splat(1);
  const distance = f64x2.max(f64x2.abs(f64x2.sub(there, here)), f64x2.splat(NEAREST));
  const share = f64x2.max(f64x2.min(f64x2.div(f64x2.splat(t), distance), one), f64x2.splat(0));
  return f64x2.add(f64x2.mul(share, there), f64x2.mul(f64x2.sub(one, share), here));
}

/** In f64, because 1 - w of a w that was rounded to f32 may have lost all that the base's product is worth. */
export function nearswapF32(output: usize, x: usize, base: usize, t: f64, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    const there = v128.load(x);
    const here = v128.load(base);
    v128.store(output, demoted(moved(low(there), low(here), t), moved(high(there), high(here), t)));
    output += 16;
    x += 16;
    base += 16;
  }
}

export function nearswapF64(output: usize, x: usize, base: usize, t: f64, n: i32): void {
  for (let i = 0; i < n; i += 2) {
    v128.store(output, moved(v128.load(x), v128.load(base), t));
    output += 16;
    x += 16;
    base += 16;
  }
}
