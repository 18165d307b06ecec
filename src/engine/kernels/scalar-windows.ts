import type { Kernels, Pointer } from './kernels.js';
import { bitsOf, brainReader, SIGN_FREE } from './scalar-bits.js';

type WindowKernels = Pick<Kernels, 'countWindowF32' | 'countScatteredF32' | 'countWindowBF16' | 'countBandBF16'>;

const PAGE = 64;

/** Counts the keys of `n` values from `low` to below `low + width`, and returns how many are above. */
function countKeys(
  memory: WebAssembly.Memory,
  low: number,
  width: number,
  counts: Pointer,
  n: number,
  valueAt: (i: number) => number,
): number {
  const view = new DataView(memory.buffer);
  const bump = (counter: Pointer): number => {
    const before = view.getUint32(counter, true);
    view.setUint32(counter, before + 1, true);
    return before;
  };
  const pages = counts + 4 * Math.ceil(width / PAGE);
  let above = 0;
  for (let i = 0; i < n; i++) {
    const slot = (bitsOf(valueAt(i)) & SIGN_FREE) - low;
    if (slot >= width) above++;
    if (slot < 0 || slot >= width) continue;
    const page = Math.floor(slot / PAGE);
    if (bump(counts + 4 * page) === 0) new Uint32Array(memory.buffer, pages + 4 * PAGE * page, PAGE).fill(0);
    bump(pages + 4 * slot);
  }
  return above;
}

/** The same in a window that is given by its entry, which hears how many are above. */
export function countEntry(
  memory: WebAssembly.Memory,
  entry: Pointer,
  n: number,
  valueAt: (i: number) => number,
): void {
  const view = new DataView(memory.buffer, entry);
  const [low = 0, width = 0, counts = 0] = new Uint32Array(memory.buffer, entry, 3);
  const above = countKeys(memory, low, width, counts, n, valueAt);
  view.setBigUint64(16, view.getBigUint64(16, true) + BigInt(above), true);
}

/** The twins of assembly/windows.ts, which has the layout of the counters. */
export function scalarWindows(memory: WebAssembly.Memory): WindowKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (x: Pointer, i: number): number => view().getFloat32(x + 4 * i, true);
  const brain = brainReader(memory);
  const count = (low: number, width: number, counts: Pointer, n: number, valueAt: (i: number) => number): number =>
    countKeys(memory, low, width, counts, n, valueAt);
  return {
    countWindowF32: (x, base, low, width, counts, n) => count(low, width, counts, n, (i) => f32(x, i) - f32(base, i)),
    countScatteredF32: (x, low, width, counts, n) => count(low, width, counts, n, (i) => f32(x, i)),
    countWindowBF16: (x, base, low, width, counts, n) =>
      count(low, width, counts, n, (i) => brain(x, i) - brain(base, i)),
    countBandBF16: (x, base, low, width, counts, tail, n) => {
      const deltaAt = (i: number): number => brain(x, i) - brain(base, i);
      countEntry(memory, tail, n, deltaAt);
      return count(low, width, counts, n, deltaAt);
    },
  };
}
