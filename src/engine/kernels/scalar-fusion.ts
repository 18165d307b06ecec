import type { Kernels } from './kernels.js';
import { bitsOf, brainReader, SIGN_FREE, singleToBrain } from './scalar-bits.js';
import { countEntry } from './scalar-windows.js';

type FusionKernels = Pick<
  Kernels,
  'scaleDeltaBF16' | 'takeScoredF32' | 'takeScoredF64' | 'takeScoredBF16' | 'countScoresBF16'
>;

const bits = new DataView(new ArrayBuffer(8));

/** The twins of assembly/fusion.ts. */
export function scalarFusion(memory: WebAssembly.Memory): FusionKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const brain = brainReader(memory);
  const score = (x: number, base: number, c: number): number => Math.fround(Math.fround(x - base) * Math.fround(c));
  const taken = (x: number, base: number, c: number, least: number): number =>
    (bitsOf(score(x, base, c)) & SIGN_FREE) >= least ? x : base;
  return {
    scaleDeltaBF16: (target, x, base, c, n) => {
      for (let i = 0; i < n; i++) view().setFloat32(target + 4 * i, score(brain(x, i), brain(base, i), c), true);
    },
    takeScoredF32: (output, x, base, c, least, n) => {
      for (let i = 0; i < n; i++) {
        const [own, other] = [view().getFloat32(x + 4 * i, true), view().getFloat32(base + 4 * i, true)];
        view().setFloat32(output + 4 * i, taken(own, other, c, least), true);
      }
    },
    takeScoredF64: (output, x, base, c, least, n) => {
      for (let i = 0; i < n; i++) {
        const [own, other] = [view().getFloat64(x + 8 * i, true), view().getFloat64(base + 8 * i, true)];
        bits.setFloat64(0, (own - other) * c);
        const isTaken = (bits.getBigUint64(0) & 0x7fff_ffff_ffff_ffffn) >= least;
        view().setFloat64(output + 8 * i, isTaken ? own : other, true);
      }
    },
    takeScoredBF16: (output, x, base, factors, row, least, n) => {
      for (let i = 0; i < n; i++) {
        const c = view().getFloat32(factors + 4 * Math.floor(i / row), true);
        const value = taken(brain(x, i), brain(base, i), c, least);
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(value)), true);
      }
    },
    countScoresBF16: (x, base, factors, row, windows, n) => {
      const scoreAt = (i: number): number =>
        score(brain(x, i), brain(base, i), view().getFloat32(factors + 4 * Math.floor(i / row), true));
      for (let entry = windows; entry < windows + 3 * 24; entry += 24) countEntry(memory, entry, n, scoreAt);
    },
  };
}
