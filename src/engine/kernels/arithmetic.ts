import type { Kernels, Pointer, WorkDtype } from './kernels.js';

/** The kernels of one work dtype under dtype-free names, so that a method is written once for f32 and f64. */
export interface Arithmetic {
  readonly elementBytes: 4 | 8;
  /** Bits 0..keyBits-1 of a key hold the magnitude; the histogram passes take 16 of them at a time, from the top. */
  readonly shifts: readonly number[];
  scale(target: Pointer, x: Pointer, c: number, n: number): void;
  addScaled(sum: Pointer, x: Pointer, c: number, n: number): void;
  addScaledDelta(sum: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  subtract(target: Pointer, x: Pointer, base: Pointer, n: number): void;
  add(target: Pointer, x: Pointer, n: number): void;
  dot(x: Pointer, y: Pointer, n: number): number;
  sumMagnitudes(x: Pointer, key: bigint, n: number): number;
  histogram(x: Pointer, shift: number, prefix: bigint, counts: Pointer, n: number): void;
  keepLargest(x: Pointer, key: bigint, quota: number, n: number): number;
  vote(votes: Pointer, delta: Pointer, weight: number, n: number): void;
  addAgreeing(sum: Pointer, total: Pointer, delta: Pointer, votes: Pointer, c: number, weight: number, n: number): void;
  divideByTotal(sum: Pointer, total: Pointer, n: number): void;
  /** The magnitude whose key this is. */
  magnitude(key: bigint): number;
}

export function arithmeticOf(kernels: Kernels, work: WorkDtype): Arithmetic {
  return work === 'F32' ? singlePrecision(kernels) : doublePrecision(kernels);
}

const bits = new DataView(new ArrayBuffer(8));

function singlePrecision(k: Kernels): Arithmetic {
  return {
    elementBytes: 4,
    shifts: [16, 0],
    scale: k.scaleF32,
    addScaled: k.addScaledF32,
    addScaledDelta: k.addScaledDeltaF32,
    subtract: k.subtractF32,
    add: k.addF32,
    dot: k.dotF32,
    sumMagnitudes: (x, key, n) => k.sumMagnitudesF32(x, Number(key), n),
    histogram: (x, shift, prefix, counts, n) => {
      if (shift === 16) k.histogramHighF32(x, counts, n);
      else k.histogramLowF32(x, Number(prefix), counts, n);
    },
    keepLargest: (x, key, quota, n) => k.keepLargestF32(x, Number(key), quota, n) >>> 0,
    vote: k.voteF32,
    addAgreeing: k.addAgreeingF32,
    divideByTotal: k.divideByTotalF32,
    magnitude: (key) => {
      bits.setUint32(0, Number(key));
      return bits.getFloat32(0);
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
    dot: k.dotF64,
    sumMagnitudes: k.sumMagnitudesF64,
    histogram: k.histogramF64,
    keepLargest: (x, key, quota, n) => k.keepLargestF64(x, key, quota, n) >>> 0,
    vote: k.voteF64,
    addAgreeing: k.addAgreeingF64,
    divideByTotal: k.divideByTotalF64,
    magnitude: (key) => {
      bits.setBigUint64(0, key);
      return bits.getFloat64(0);
    },
  };
}
