import type { Kernels, Pointer } from './kernels.js';

type ReportKernels = Pick<Kernels, 'countSpecial16' | 'countSpecial32' | 'countSpecial64'>;

/** Scalar twins of the kernels that only look: what `scalar.ts` is for those that compute. */
export function scalarReportKernels(memory: WebAssembly.Memory): ReportKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const bump = (at: Pointer): void => view().setUint32(at, view().getUint32(at, true) + 1, true);
  const countSpecial = (target: Pointer, n: number, element: (i: number) => number): void => {
    for (let i = 0; i < n; i++) {
      const value = element(i);
      if (Number.isNaN(value)) bump(target);
      else if (!Number.isFinite(value)) bump(target + 4);
    }
  };
  return {
    countSpecial16: (x, infinity, target, n) =>
      countSpecial(target, n, (i) => {
        const bits = view().getUint16(x + 2 * i, true) & 0x7fff;
        return bits > infinity ? Number.NaN : bits === infinity ? Infinity : 0;
      }),
    countSpecial32: (x, target, n) => countSpecial(target, n, (i) => view().getFloat32(x + 4 * i, true)),
    countSpecial64: (x, target, n) => countSpecial(target, n, (i) => view().getFloat64(x + 8 * i, true)),
  };
}
