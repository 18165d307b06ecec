import type { Kernels, Pointer } from './kernels.js';
import { bitsOf, brainReader, halfToSingle, SIGN_FREE, singleToBrain, singleToHalf, toOdd } from './scalar-bits.js';
import { scalarAgreement } from './scalar-agreement.js';
import { scalarDivergence } from './scalar-divergence.js';
import { scalarFusion } from './scalar-fusion.js';
import { scalarVariance } from './scalar-variance.js';
import { scalarWindows } from './scalar-windows.js';
import { scalarPair } from './scalar-pair.js';
import { scalarReportKernels } from './scalar-report.js';
import { scalarRandomKernels } from './scalar-random.js';

const F64_ABS = 0x7fff_ffff_ffff_ffffn;
/** Below the heap: nobody else's. */
const KEY_SCRATCH: Pointer = 0;

/**
 * The kernels once more, one element at a time and in plain TypeScript: what the SIMD ones must equal bit for bit. Only
 * acos, cos, exp and sin have no twin; those are compared with known values.
 */
export function scalarKernels(memory: WebAssembly.Memory): Omit<Kernels, 'acos' | 'cos' | 'exp' | 'sin'> {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const f64 = (at: Pointer): number => view().getFloat64(at, true);
  const brain = brainReader(memory);
  const u32 = (at: Pointer): number => view().getUint32(at, true);
  const u64 = (at: Pointer): bigint => view().getBigUint64(at, true);
  const setF32 = (at: Pointer, value: number): void => view().setFloat32(at, value, true);
  const setF64 = (at: Pointer, value: number): void => view().setFloat64(at, value, true);
  const each = (n: number, visit: (i: number) => void): void => {
    for (let i = 0; i < n; i++) visit(i);
  };
  const bump = (at: Pointer): void => view().setUint32(at, u32(at) + 1, true);

  const reduce = (n: number, term: (i: number) => number): number => {
    const lanes = [0, 0, 0, 0];
    each(n, (i) => (lanes[i % 4] = (lanes[i % 4] ?? 0) + term(i)));
    const [a = 0, b = 0, c = 0, d = 0] = lanes;
    return a + b + (c + d);
  };
  const keysOf = (deltas: Pointer, n: number): number[] =>
    Array.from({ length: n }, (_item, i) => u32(deltas + 4 * i) & SIGN_FREE);
  const gram = (target: Pointer, n: number, pair: (i: number) => [number, number]): void => {
    const entry = (form: (x: number, y: number) => number): number => reduce(n, (i) => form(...pair(i)));
    setF64(
      target,
      entry((x) => x * x),
    );
    setF64(
      target + 8,
      entry((x, y) => x * y),
    );
    setF64(
      target + 16,
      entry((_x, y) => y * y),
    );
  };
  const deltaF32 = (x: Pointer, base: Pointer, i: number): number => Math.fround(f32(x + 4 * i) - f32(base + 4 * i));
  const deltaF64 = (x: Pointer, base: Pointer, i: number): number => f64(x + 8 * i) - f64(base + 8 * i);
  const keyF32 = (x: Pointer, base: Pointer, i: number): number => {
    setF32(KEY_SCRATCH, deltaF32(x, base, i));
    return u32(KEY_SCRATCH) & SIGN_FREE;
  };
  const keyF64 = (x: Pointer, base: Pointer, i: number): bigint => {
    setF64(KEY_SCRATCH, deltaF64(x, base, i));
    return u64(KEY_SCRATCH) & F64_ABS;
  };

  /** The entries of the table that agree with the elected sign of one element, and what their sum is divided by. */
  const election = (
    table: Pointer,
    models: number,
    negligible: number,
    delta: (entry: Pointer) => number,
  ): { entries: Pointer[]; divisor: number } => {
    const all = Array.from({ length: models }, (_unused, m) => table + 40 * m);
    const votes = all.reduce((sum, entry) => sum + delta(entry) * f64(entry + 8), 0);
    const entries = all.filter((entry) => agrees(delta(entry), votes, u32(entry + 36) !== 0));
    const total = entries.reduce((sum, entry) => sum + f64(entry + 16), 0);
    return { entries, divisor: negligible >= 0 && Math.abs(total) > negligible ? total : 1 };
  };

  /** base + sum of the agreeing deltas under their coefficients / divisor, in f32. */
  const elected = (output: Pointer, base: Pointer, i: number, entries: Pointer[], divisor: number): void => {
    const sum = entries.reduce((total, entry) => {
      return Math.fround(total + Math.fround(f32(u32(entry) + 4 * i) * f32(entry + 4)));
    }, 0);
    setF32(output + 4 * i, f32(base + 4 * i) + Math.fround(sum / Math.fround(divisor)));
  };

  return {
    ...scalarAgreement(memory),
    ...scalarDivergence(memory),
    ...scalarFusion(memory),
    ...scalarPair(memory),
    ...scalarVariance(memory),
    ...scalarWindows(memory),
    ...scalarReportKernels(memory),
    ...scalarRandomKernels(memory),
    decodeBF16: (source, target, n) =>
      each(n, (i) => view().setUint32(target + 4 * i, view().getUint16(source + 2 * i, true) << 16, true)),
    decodeF16: (source, target, n) =>
      each(n, (i) => view().setUint32(target + 4 * i, halfToSingle(view().getUint16(source + 2 * i, true)), true)),
    encodeBF16: (source, target, n) =>
      each(n, (i) => view().setUint16(target + 2 * i, singleToBrain(u32(source + 4 * i)), true)),
    encodeF16: (source, target, n) =>
      each(n, (i) => view().setUint16(target + 2 * i, singleToHalf(f32(source + 4 * i)), true)),
    encodeF32: (source, target, n) =>
      each(n, (i) => {
        const bits = u32(source + 4 * i);
        view().setUint32(target + 4 * i, (bits & SIGN_FREE) > 0x7f80_0000 ? 0x7fc0_0000 : bits, true);
      }),
    encodeF64: (source, target, n) =>
      each(n, (i) => {
        const bits = u64(source + 8 * i);
        const isNaN = (bits & F64_ABS) > 0x7ff0_0000_0000_0000n;
        view().setBigUint64(target + 8 * i, isNaN ? 0x7ff8_0000_0000_0000n : bits, true);
      }),
    promote: (source, target, n) => each(n, (i) => setF64(target + 8 * i, f32(source + 4 * i))),
    demote: (source, target, n) => each(n, (i) => setF32(target + 4 * i, f64(source + 8 * i))),
    demoteOdd: (source, target, n) =>
      each(n, (i) => view().setUint32(target + 4 * i, toOdd(f64(source + 8 * i)), true)),
    scaleF32: (target, x, c, n) => each(n, (i) => setF32(target + 4 * i, f32(x + 4 * i) * Math.fround(c))),
    scaleF64: (target, x, c, n) => each(n, (i) => setF64(target + 8 * i, f64(x + 8 * i) * c)),
    addScaledF32: (sum, x, c, n) =>
      each(n, (i) => setF32(sum + 4 * i, f32(sum + 4 * i) + Math.fround(f32(x + 4 * i) * Math.fround(c)))),
    addScaledF64: (sum, x, c, n) => each(n, (i) => setF64(sum + 8 * i, f64(sum + 8 * i) + f64(x + 8 * i) * c)),
    addScaledDeltaF32: (sum, x, base, c, n) =>
      each(n, (i) => {
        const delta = Math.fround(f32(x + 4 * i) - f32(base + 4 * i));
        setF32(sum + 4 * i, f32(sum + 4 * i) + Math.fround(delta * Math.fround(c)));
      }),
    addScaledDeltaF64: (sum, x, base, c, n) =>
      each(n, (i) => setF64(sum + 8 * i, f64(sum + 8 * i) + (f64(x + 8 * i) - f64(base + 8 * i)) * c)),
    subtractF32: (target, x, base, n) => each(n, (i) => setF32(target + 4 * i, f32(x + 4 * i) - f32(base + 4 * i))),
    subtractF64: (target, x, base, n) => each(n, (i) => setF64(target + 8 * i, f64(x + 8 * i) - f64(base + 8 * i))),
    addF32: (target, x, n) => each(n, (i) => setF32(target + 4 * i, f32(target + 4 * i) + f32(x + 4 * i))),
    addF64: (target, x, n) => each(n, (i) => setF64(target + 8 * i, f64(target + 8 * i) + f64(x + 8 * i))),
    multiplyF32: (target, x, y, n) => each(n, (i) => setF32(target + 4 * i, f32(x + 4 * i) * f32(y + 4 * i))),
    multiplyF64: (target, x, y, n) => each(n, (i) => setF64(target + 8 * i, f64(x + 8 * i) * f64(y + 8 * i))),
    addProductF32: (sum, x, y, n) =>
      each(n, (i) => setF32(sum + 4 * i, f32(sum + 4 * i) + Math.fround(f32(x + 4 * i) * f32(y + 4 * i)))),
    addProductF64: (sum, x, y, n) =>
      each(n, (i) => setF64(sum + 8 * i, f64(sum + 8 * i) + f64(x + 8 * i) * f64(y + 8 * i))),
    nearswapF32: (output, x, base, t, n) =>
      each(n, (i) => setF32(output + 4 * i, movedSingle(f32(x + 4 * i), f32(base + 4 * i), t))),
    nearswapF64: (output, x, base, t, n) =>
      each(n, (i) => setF64(output + 8 * i, moved(f64(x + 8 * i), f64(base + 8 * i), t))),
    nearswapBF16: (output, x, base, t, n) =>
      each(n, (i) => {
        const brains = singleToBrain(bitsOf(movedSingle(brain(x, i), brain(base, i), t)));
        view().setUint16(output + 2 * i, brains, true);
      }),
    gramDeltaBF16: (base, x, target, n) => gram(target, n, (i) => [brain(base, i), brain(x, i) - brain(base, i)]),
    addColumnsBF16: (squares, cross, own, base, x, row, rows) =>
      each(row * rows, (i) => {
        const [origin, delta] = [brain(base, i), brain(x, i) - brain(base, i)];
        const addTo = (sums: Pointer, term: number): void =>
          setF64(sums + 8 * (i % row), f64(sums + 8 * (i % row)) + term);
        if (squares !== 0) addTo(squares, origin * origin);
        addTo(cross, origin * delta);
        addTo(own, delta * delta);
      }),
    gramBF16: (x, y, target, n) => gram(target, n, (i) => [brain(x, i), brain(y, i)]),
    gramDeltasBF16: (x, y, base, target, n) =>
      gram(target, n, (i) => [brain(x, i) - brain(base, i), brain(y, i) - brain(base, i)]),
    gramF32: (x, y, target, n) => gram(target, n, (i) => [f32(x + 4 * i), f32(y + 4 * i)]),
    gramF64: (x, y, target, n) => gram(target, n, (i) => [f64(x + 8 * i), f64(y + 8 * i)]),
    sumSquaresF32: (x, n) => reduce(n, (i) => f32(x + 4 * i) * f32(x + 4 * i)),
    sumSquaresF64: (x, n) => reduce(n, (i) => f64(x + 8 * i) * f64(x + 8 * i)),
    gramDeltasF32: (x, y, base, target, n) =>
      gram(target, n, (i) => [f32(x + 4 * i) - f32(base + 4 * i), f32(y + 4 * i) - f32(base + 4 * i)]),
    gramDeltasF64: (x, y, base, target, n) => gram(target, n, (i) => [deltaF64(x, base, i), deltaF64(y, base, i)]),
    sumMagnitudesF32: (x, base, key, n) =>
      reduce(n, (i) => (keyF32(x, base, i) >= key ? Math.abs(deltaF32(x, base, i)) : 0)),
    sumMagnitudesF64: (x, base, key, n) =>
      reduce(n, (i) => (keyF64(x, base, i) >= key ? Math.abs(deltaF64(x, base, i)) : 0)),
    countAboveF32: (deltas, key, n) => keysOf(deltas, n).filter((own) => own > key).length,
    keyOfRankF32: (deltas, rank, n) => keysOf(deltas, n).sort((a, b) => b - a)[rank - 1] ?? 0,
    histogramHighF32: (x, base, counts, n) => each(n, (i) => bump(counts + 4 * (keyF32(x, base, i) >>> 16))),
    histogramF64: (x, base, shift, prefix, counts, n) =>
      each(n, (i) => {
        const key = keyF64(x, base, i);
        if (key >> BigInt(shift + 16) === prefix) bump(counts + 4 * Number((key >> BigInt(shift)) & 0xffffn));
      }),
    trimF32: (x, base, key, quota, n) => {
      each(n, (i) => {
        const own = keyF32(x, base, i);
        const isTaken = own === key && quota > 0;
        setF32(x + 4 * i, own > key || isTaken ? deltaF32(x, base, i) : 0);
        if (isTaken) quota--;
      });
      return quota;
    },
    trimF64: (x, base, key, quota, n) => {
      each(n, (i) => {
        const own = keyF64(x, base, i);
        const isTaken = own === key && quota > 0;
        setF64(x + 8 * i, own > key || isTaken ? deltaF64(x, base, i) : 0);
        if (isTaken) quota--;
      });
      return quota;
    },
    keepLargerF32: (best, x, base, n) =>
      each(n, (i) => {
        const own = u32(best + 4 * i) & SIGN_FREE;
        if (keyF32(x, base, i) > own) setF32(best + 4 * i, deltaF32(x, base, i));
      }),
    keepLargerF64: (best, x, base, n) =>
      each(n, (i) => {
        const own = u64(best + 8 * i) & F64_ABS;
        if (keyF64(x, base, i) > own) setF64(best + 8 * i, deltaF64(x, base, i));
      }),
    clearLargestF32: (x, key, quota, n) => {
      each(n, (i) => {
        const own = u32(x + 4 * i) & SIGN_FREE;
        const isCleared = own === key && quota > 0;
        if (own > key || isCleared) setF32(x + 4 * i, 0);
        if (isCleared) quota--;
      });
      return quota;
    },
    clearLargestF64: (x, key, quota, n) => {
      each(n, (i) => {
        const own = u64(x + 8 * i) & F64_ABS;
        const isCleared = own === key && quota > 0;
        if (own > key || isCleared) setF64(x + 8 * i, 0);
        if (isCleared) quota--;
      });
      return quota;
    },
    electF32: (output, base, table, models, negligible, n) =>
      each(n, (i) => {
        const { entries } = election(table, models, -1, (entry) => f32(u32(entry) + 4 * i));
        const total = entries.reduce((sum, entry) => Math.fround(sum + f32(entry + 32)), 0);
        elected(output, base, i, entries, negligible >= 0 && Math.abs(total) > Math.fround(negligible) ? total : 1);
      }),
    electMixedF32: (output, base, table, models, negligible, n) =>
      each(n, (i) => {
        const { entries, divisor } = election(table, models, negligible, (entry) => f32(u32(entry) + 4 * i));
        elected(output, base, i, entries, divisor);
      }),
    electF64: (output, base, table, models, negligible, n) =>
      each(n, (i) => {
        const { entries, divisor } = election(table, models, negligible, (entry) => f64(u32(entry) + 8 * i));
        const sum = entries.reduce((total, entry) => total + f64(u32(entry) + 8 * i) * f64(entry + 24), 0);
        setF64(output + 8 * i, f64(base + 8 * i) + sum / divisor);
      }),
  };
}

function agrees(delta: number, vote: number, isFlipped: boolean): boolean {
  if (Number.isNaN(delta)) return true;
  if (delta === 0) return false;
  return (delta > 0 !== isFlipped) === vote >= 0;
}

function moved(there: number, here: number, t: number): number {
  const share = Math.max(Math.min(t / Math.max(Math.abs(there - here), 1e-6), 1), 0);
  return share * there + (1 - share) * here;
}

function movedSingle(there: number, here: number, t: number): number {
  if (t < 1e-6) return Math.fround(moved(there, here, t));
  const furthest = Math.min(t, 3e38);
  const part = Math.fround(furthest);
  const rest = Math.fround(furthest - part);
  const highest = Math.fround(Math.fround(here + part) + rest);
  const lowest = Math.fround(Math.fround(here - part) - rest);
  if (Number.isNaN(here)) return NaN;
  const nearest = highest < there ? highest : there;
  return nearest < lowest ? lowest : nearest;
}
