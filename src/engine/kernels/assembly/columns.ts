// Sums over the rows of a matrix, for each of its columns, from bf16 as it is stored.

import { high, low, lowSingles } from './lanes';

/** Rows that are taken together, so that a sum is loaded once for all of them: as many as the fastest cache has room for. */
const TOGETHER: i32 = 8;

@inline
function addProduct(sum: v128, x: v128, y: v128): v128 {
  return f64x2.add(sum, f64x2.mul(x, y));
}

/**
 * Adds base (x - base) to `cross` and (x - base)^2 to `own`, in f64, row after row; and base^2 to `squares` unless that
 * is 0. May run past the end of a row, and of the sums, to the next multiple of 4 columns.
 */
export function addColumnsBF16(
  squares: usize, cross: usize, own: usize, base: usize, x: usize, row: i32, rows: i32,
): void {
  if (squares == 0) addColumns(cross, cross, own, base, x, row, rows, false);
  else addColumns(squares, cross, own, base, x, row, rows, true);
}

@inline
function addColumns(
  squares: usize, cross: usize, own: usize, base: usize, x: usize, row: i32, rows: i32, areSquared: bool,
): void {
  const stride = <usize>row << 1;
  for (let from = 0; from < rows; from += TOGETHER) {
    const count = min(TOGETHER, rows - from);
    const end = base + stride;
    let sum: usize = 0;
    do {
      let origin = base;
      let model = x;
      let bb0 = v128.load(squares + sum);
      let bb1 = v128.load(squares + sum, 16);
      let bd0 = v128.load(cross + sum);
      let bd1 = v128.load(cross + sum, 16);
      let dd0 = v128.load(own + sum);
      let dd1 = v128.load(own + sum, 16);
      let i = 0;
      do {
        const bases = lowSingles(v128.load64_zero(origin));
        const models = lowSingles(v128.load64_zero(model));
        const b0 = low(bases);
        const b1 = high(bases);
        const d0 = f64x2.sub(low(models), b0);
        const d1 = f64x2.sub(high(models), b1);
        if (areSquared) {
          bb0 = addProduct(bb0, b0, b0);
          bb1 = addProduct(bb1, b1, b1);
        }
        bd0 = addProduct(bd0, b0, d0);
        bd1 = addProduct(bd1, b1, d1);
        dd0 = addProduct(dd0, d0, d0);
        dd1 = addProduct(dd1, d1, d1);
        origin += stride;
        model += stride;
        i++;
      } while (i < count);
      if (areSquared) {
        v128.store(squares + sum, bb0);
        v128.store(squares + sum, bb1, 16);
      }
      v128.store(cross + sum, bd0);
      v128.store(cross + sum, bd1, 16);
      v128.store(own + sum, dd0);
      v128.store(own + sum, dd1, 16);
      sum += 32;
      base += 8;
      x += 8;
    } while (base < end);
    // The last step may have gone past the row.
    x += end - base + stride * (TOGETHER - 1);
    base = end + stride * (TOGETHER - 1);
  }
}
