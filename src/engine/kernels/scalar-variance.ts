import type { Kernels, Pointer } from './kernels.js';

type VarianceKernels = Pick<Kernels, 'varianceF32' | 'varianceF64' | 'keepWhereF32' | 'keepWhereF64'>;

/** The twins of assembly/variance.ts. */
export function scalarVariance(memory: WebAssembly.Memory): VarianceKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const f64 = (at: Pointer): number => view().getFloat64(at, true);
  const deltas = (table: Pointer, models: number, read: (pointer: Pointer) => number): number[] =>
    Array.from({ length: models }, (_unused, m) => read(view().getUint32(table + 4 * m, true)));

  return {
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
