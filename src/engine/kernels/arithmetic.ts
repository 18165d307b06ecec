import type { KeepDrawn, Kernels, Pointer, WorkDtype } from './kernels.js';

/** The kernels of one work dtype under dtype-free names, so that a method is written once for f32 and f64. */
export interface Arithmetic {
  readonly elementBytes: 4 | 8;
  /** Where the 16 bits lie that each histogram pass counts; in f32 windows of keys take the place of a second pass. */
  readonly shifts: readonly number[];
  scale(target: Pointer, x: Pointer, c: number, n: number): void;
  addScaled(sum: Pointer, x: Pointer, c: number, n: number): void;
  addScaledDelta(sum: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  subtract(target: Pointer, x: Pointer, base: Pointer, n: number): void;
  add(target: Pointer, x: Pointer, n: number): void;
  multiply(target: Pointer, x: Pointer, y: Pointer, n: number): void;
  addProduct(sum: Pointer, x: Pointer, y: Pointer, n: number): void;
  /** Moves the base to x by the share t / |x - base| of the way, at most all of it. */
  nearswap(output: Pointer, x: Pointer, base: Pointer, t: number, n: number): void;
  gram(x: Pointer, y: Pointer, target: Pointer, n: number): void;
  gramDeltas(x: Pointer, y: Pointer, base: Pointer, target: Pointer, n: number): void;
  sumMagnitudes(x: Pointer, base: Pointer, key: bigint, n: number): number;
  histogram(x: Pointer, base: Pointer, shift: number, prefix: bigint, counts: Pointer, n: number): void;
  trim(x: Pointer, base: Pointer, key: bigint, quota: number, n: number): number;
  keepLarger(best: Pointer, x: Pointer, base: Pointer, n: number): void;
  clearLargest(x: Pointer, key: bigint, quota: number, n: number): number;
  keepDrawn: KeepDrawn;
  /** For shares of one sign. */
  elect(output: Pointer, base: Pointer, table: Pointer, models: number, negligible: number, n: number): void;
  /** For shares of both signs, whose sum may cancel. */
  electMixed(output: Pointer, base: Pointer, table: Pointer, models: number, negligible: number, n: number): void;
  /** The changes of one model alone under its factor, the mean of several models' changes: agreement.ts has the table. */
  mergeActive(output: Pointer, base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  countActive(base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  sumSquares(x: Pointer, n: number): number;
  /** Variances across the models whose addresses are in the table; returns how many are not zero. */
  variance(target: Pointer, table: Pointer, models: number, n: number): number;
  /** Clears x where the mask is zero. */
  keepWhere(x: Pointer, mask: Pointer, n: number): void;
  /** KL(softmax(x) || softmax(y)) of two rows in f64; the scratch takes 16 bytes an element. */
  divergence(x: Pointer, y: Pointer, scratch: Pointer, n: number): number;
  /** x where the key of c (x - base) is `least` or more, else base. */
  takeScored(output: Pointer, x: Pointer, base: Pointer, c: number, least: bigint, n: number): void;
  /** The magnitude whose key this is. */
  magnitude(key: bigint): number;
  /** The key of the smallest magnitude that is not below `limit`. */
  keyFrom(limit: number): bigint;
}

export function arithmeticOf(kernels: Kernels, work: WorkDtype): Arithmetic {
  return work === 'F32' ? singlePrecision(kernels) : doublePrecision(kernels);
}

const bits = new DataView(new ArrayBuffer(8));

function singlePrecision(k: Kernels): Arithmetic {
  return {
    elementBytes: 4,
    shifts: [16],
    scale: k.scaleF32,
    addScaled: k.addScaledF32,
    addScaledDelta: k.addScaledDeltaF32,
    subtract: k.subtractF32,
    add: k.addF32,
    multiply: k.multiplyF32,
    addProduct: k.addProductF32,
    nearswap: k.nearswapF32,
    gram: k.gramF32,
    gramDeltas: k.gramDeltasF32,
    sumMagnitudes: (x, base, key, n) => k.sumMagnitudesF32(x, base, Number(key), n),
    histogram: (x, base, _shift, _prefix, counts, n) => k.histogramHighF32(x, base, counts, n),
    trim: (x, base, key, quota, n) => k.trimF32(x, base, Number(key), quota, n) >>> 0,
    keepLarger: k.keepLargerF32,
    clearLargest: (x, key, quota, n) => k.clearLargestF32(x, Number(key), quota, n) >>> 0,
    keepDrawn: k.keepDrawnF32,
    elect: k.electF32,
    electMixed: k.electMixedF32,
    mergeActive: k.mergeActiveF32,
    countActive: k.countActiveF32,
    sumSquares: k.sumSquaresF32,
    variance: k.varianceF32,
    keepWhere: k.keepWhereF32,
    divergence: k.divergenceF32,
    takeScored: (output, x, base, c, least, n) => k.takeScoredF32(output, x, base, c, Number(least), n),
    magnitude: (key) => {
      bits.setUint32(0, Number(key));
      return bits.getFloat32(0);
    },
    keyFrom: (limit) => {
      bits.setFloat32(0, limit);
      const key = bits.getUint32(0);
      return BigInt(bits.getFloat32(0) < limit ? key + 1 : key);
    },
  };
}

function doublePrecision(k: Kernels): Arithmetic {
  return {
    elementBytes: 8,
    shifts: [48, 32, 16, 0],
    scale: k.scaleF64,
    addScaled: k.addScaledF64,
    addScaledDelta: k.addScaledDeltaF64,
    subtract: k.subtractF64,
    add: k.addF64,
    multiply: k.multiplyF64,
    addProduct: k.addProductF64,
    nearswap: k.nearswapF64,
    gram: k.gramF64,
    gramDeltas: k.gramDeltasF64,
    sumMagnitudes: k.sumMagnitudesF64,
    histogram: k.histogramF64,
    trim: (x, base, key, quota, n) => k.trimF64(x, base, key, quota, n) >>> 0,
    keepLarger: k.keepLargerF64,
    clearLargest: (x, key, quota, n) => k.clearLargestF64(x, key, quota, n) >>> 0,
    keepDrawn: k.keepDrawnF64,
    elect: k.electF64,
    electMixed: k.electF64,
    mergeActive: k.mergeActiveF64,
    countActive: k.countActiveF64,
    sumSquares: k.sumSquaresF64,
    variance: k.varianceF64,
    keepWhere: k.keepWhereF64,
    divergence: k.divergenceF64,
    takeScored: k.takeScoredF64,
    magnitude: (key) => {
      bits.setBigUint64(0, key);
      return bits.getFloat64(0);
    },
    keyFrom: (limit) => {
      bits.setFloat64(0, limit);
      return bits.getBigUint64(0);
    },
  };
}
