import type { Kernels, Pointer } from './kernels.js';
import { bitsOf, brainReader } from './scalar-bits.js';
import { countEntry } from './scalar-windows.js';

type VarianceKernels = Pick<
  Kernels,
  | 'varianceF32'
  | 'varianceF64'
  | 'variancePairBF16'
  | 'measureSelectedPairBF16'
  | 'countVariancesPairBF16'
  | 'keepWhereF32'
  | 'keepWhereF64'
>;

/** The twins of assembly/variance.ts and assembly/distance.ts. */
export function scalarVariance(memory: WebAssembly.Memory): VarianceKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const f64 = (at: Pointer): number => view().getFloat64(at, true);
  const deltas = (table: Pointer, models: number, read: (pointer: Pointer) => number): number[] =>
    Array.from({ length: models }, (_unused, m) => read(view().getUint32(table + 4 * m, true)));

  const brain = brainReader(memory);
  const pairAt = (base: Pointer, x: Pointer, y: Pointer, i: number): [number, number] => {
    const origin = brain(base, i);
    return [Math.fround(brain(x, i) - origin), Math.fround(brain(y, i) - origin)];
  };

  return {
    variancePairBF16: (target, base, x, y, n) => {
      let count = 0;
      for (let i = 0; i < n; i++) {
        const variance = Math.fround(varianceOf(pairAt(base, x, y, i)));
        if (variance !== 0) count++;
        view().setFloat32(target + 4 * i, variance, true);
      }
      return count;
    },
    measureSelectedPairBF16: (base, x, y, limit, mask, target, n) => {
      const lanes = [0, 1].map(() => [0, 0, 0, 0]);
      for (let i = 0; i < n; i++) {
        const pair = pairAt(base, x, y, i);
        const variance = Math.fround(varianceOf(pair));
        const key = bitsOf(variance) & 0x7fff_ffff;
        const quota = view().getUint32(limit + 4, true);
        const isTaken = key === view().getInt32(limit, true) && quota > 0;
        if (isTaken) view().setUint32(limit + 4, quota - 1, true);
        const isKept = key > view().getInt32(limit, true) || (isTaken && variance !== 0);
        if (i % 8 === 0) view().setUint8(mask + i / 8, 0);
        if (!isKept) continue;
        const place = mask + Math.floor(i / 8);
        view().setUint8(place, view().getUint8(place) | (1 << (i % 8)));
        lanes.forEach((sums, m) => (sums[i % 4] = (sums[i % 4] ?? 0) + (pair[m] ?? 0) * (pair[m] ?? 0)));
      }
      lanes.forEach(([a = 0, b = 0, c = 0, d = 0], m) => view().setFloat64(target + 8 * m, a + b + (c + d), true));
    },
    countVariancesPairBF16: (base, x, y, window, n) => {
      const variances = Array.from({ length: n }, (_unused, i) => Math.fround(varianceOf(pairAt(base, x, y, i))));
      countEntry(memory, window, n, (i) => variances[i] ?? 0);
      return variances.filter((variance) => variance !== 0).length;
    },
    varianceF32: (target, table, models, n) => {
      let count = 0;
      for (let i = 0; i < n; i++) {
        const variance = Math.fround(varianceOf(deltas(table, models, (pointer) => f32(pointer + 4 * i))));
        if (variance !== 0) count++;
        view().setFloat32(target + 4 * i, variance, true);
      }
      return count;
    },
    varianceF64: (target, table, models, n) => {
      let count = 0;
      for (let i = 0; i < n; i++) {
        const variance = varianceOf(deltas(table, models, (pointer) => f64(pointer + 8 * i)));
        if (variance !== 0) count++;
        view().setFloat64(target + 8 * i, variance, true);
      }
      return count;
    },
    keepWhereF32: (x, mask, n) => {
      for (let i = 0; i < n; i++) if (f32(mask + 4 * i) === 0) view().setFloat32(x + 4 * i, 0, true);
    },
    keepWhereF64: (x, mask, n) => {
      for (let i = 0; i < n; i++) if (f64(mask + 8 * i) === 0) view().setFloat64(x + 8 * i, 0, true);
    },
  };
}

function varianceOf([origin = 0, ...others]: number[]): number {
  const share = 1 / (others.length + 1);
  const distances = others.map((other) => other - origin);
  const mean = distances.reduce((sum, distance) => sum + distance, 0) * share;
  if (others.length === 1) return mean * mean;
  return distances.reduce((sum, distance) => sum + (distance - mean) * (distance - mean), mean * mean) * share;
}
