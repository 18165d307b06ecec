import type { Kernels, Pointer } from './kernels.js';

type ReportKernels = Pick<
  Kernels,
  'countSpecial16' | 'countSpecial32' | 'countSpecial64' | 'countConflicts' | 'countKept'
>;

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
  const f64 = (at: Pointer): number => view().getFloat64(at, true);
  const storePair = (target: Pointer, first: number, second: number): void => {
    view().setUint32(target, first, true);
    view().setUint32(target + 4, second, true);
  };
  return {
    countConflicts: (table, models, target, n) => {
      let [contested, conflicting] = [0, 0];
      for (let i = 0; i < n; i++) {
        const deltas = Array.from({ length: models }, (_, m) => f64(view().getUint32(table + 4 * m, true) + 8 * i));
        const [above, below] = [deltas.filter((delta) => delta > 0).length, deltas.filter((delta) => delta < 0).length];
        if (above + below >= 2) contested++;
        if (above > 0 && below > 0) conflicting++;
      }
      storePair(target, contested, conflicting);
    },
    countKept: (delta, base, output, target, n) => {
      let [filled, kept] = [0, 0];
      for (let i = 0; i < n; i++) {
        if (f64(delta + 8 * i) === 0) continue;
        filled++;
        if (f64(output + 8 * i) !== f64(base + 8 * i)) kept++;
      }
      storePair(target, filled, kept);
    },
    countSpecial16: (x, infinity, target, n) =>
      countSpecial(target, n, (i) => {
        const bits = view().getUint16(x + 2 * i, true) & 0x7fff;
        return bits > infinity ? Number.NaN : bits === infinity ? Infinity : 0;
      }),
    countSpecial32: (x, target, n) => countSpecial(target, n, (i) => view().getFloat32(x + 4 * i, true)),
    countSpecial64: (x, target, n) => countSpecial(target, n, (i) => view().getFloat64(x + 8 * i, true)),
  };
}
