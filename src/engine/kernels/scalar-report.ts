import type { Kernels, Observe, Pointer } from './kernels.js';

type ReportKernels = Pick<
  Kernels,
  'countSpecial16' | 'countSpecial32' | 'countSpecial64' | 'observeF32' | 'observeF64'
>;

/** Elements whose products are added up apart, as in assembly/report.ts. */
const PIECE = 256;

function mean(models: number, value: (model: number) => number): number {
  let sum = value(0);
  for (let m = 1; m < models; m++) sum += value(m);
  return sum * (1 / models);
}

/** <x, y>, in the order in which four lanes add it up. */
function fourLanes(x: readonly number[], y: readonly number[]): number {
  const sums = [0, 0, 0, 0];
  x.forEach((value, i) => (sums[i % 4] = (sums[i % 4] ?? 0) + value * (y[i] ?? 0)));
  const [a = 0, b = 0, c = 0, d = 0] = sums;
  return a + c + (b + d);
}

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
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const u32 = (at: Pointer): number => view().getUint32(at, true);
  const observer =
    (read: (at: Pointer) => number, bytes: number): Observe =>
    (inputs, models, hasBase, output, _scratch, target, n) => {
      const value = (input: number, i: number): number => read(u32(inputs + 4 * input) + bytes * i);
      const counts = target + 4 * models * (models + 1);
      for (let from = 0; from < n; from += PIECE) {
        const piece = Array.from({ length: Math.min(PIECE, n - from) }, (_, i) => from + i);
        const references = piece.map((i) => (hasBase === 0 ? mean(models, (m) => value(m, i)) : value(0, i)));
        const deltas = Array.from({ length: models }, (_, m) =>
          piece.map((i, at) => value(m + hasBase, i) - (references[at] ?? 0)),
        );
        let entry = target;
        deltas.forEach((row, m) => {
          for (const column of deltas.slice(m)) {
            view().setFloat64(entry, f64(entry) + fourLanes(row, column), true);
            entry += 8;
          }
        });
        piece.forEach((i, at) => {
          const each = deltas.map((delta) => delta[at] ?? 0);
          const [above, below] = [each.filter((delta) => delta > 0).length, each.filter((delta) => delta < 0).length];
          if (above + below >= 2) bump(counts);
          if (above > 0 && below > 0) bump(counts + 4);
          if (output === 0) return;
          each.forEach((delta, m) => {
            if (delta === 0) return;
            bump(counts + 8 * (m + 1));
            if (read(output + bytes * i) !== references[at]) bump(counts + 8 * (m + 1) + 4);
          });
        });
      }
    };
  return {
    observeF32: observer(f32, 4),
    observeF64: observer(f64, 8),
    countSpecial16: (x, infinity, target, n) =>
      countSpecial(target, n, (i) => {
        const bits = view().getUint16(x + 2 * i, true) & 0x7fff;
        return bits > infinity ? Number.NaN : bits === infinity ? Infinity : 0;
      }),
    countSpecial32: (x, target, n) => countSpecial(target, n, (i) => view().getFloat32(x + 4 * i, true)),
    countSpecial64: (x, target, n) => countSpecial(target, n, (i) => view().getFloat64(x + 8 * i, true)),
  };
}
