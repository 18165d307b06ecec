import type { Kernels, Pointer } from './kernels.js';
import { bitsOf, brainReader, singleToBrain } from './scalar-bits.js';

type AgreementKernels = Pick<
  Kernels,
  | 'mergeActiveF32'
  | 'mergeActiveF64'
  | 'mergeActivePairBF16'
  | 'countActiveF32'
  | 'countActiveF64'
  | 'countActivePairBF16'
>;

/** The twins of assembly/agreement.ts, which has the layout of the table. */
export function scalarAgreement(memory: WebAssembly.Memory): AgreementKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const f64 = (at: Pointer): number => view().getFloat64(at, true);
  const entriesOf = (table: Pointer, models: number): Pointer[] =>
    Array.from({ length: models }, (_unused, m) => table + 64 * m);
  const inputOf = (entry: Pointer): Pointer => view().getUint32(entry, true);
  const brain = brainReader(memory);
  const isActive = (delta: number, epsilon: number): boolean => !(Math.abs(delta) <= epsilon);

  const count = (
    entries: readonly Pointer[],
    n: number,
    epsilon: number,
    deltaOf: (entry: Pointer, i: number) => number,
  ): void => {
    for (const entry of entries) [16, 24].forEach((at) => view().setFloat64(entry + at, 0, true));
    const bump = (at: Pointer): void => view().setFloat64(at, f64(at) + 1, true);
    for (let i = 0; i < n; i++) {
      const active = entries.filter((entry) => isActive(deltaOf(entry, i), epsilon));
      for (const entry of active) {
        if (active.length === 1) bump(entry + 16);
        bump(entry + 24);
      }
    }
  };

  const deltaF32 = (base: Pointer) => (entry: Pointer, i: number) =>
    Math.fround(f32(inputOf(entry) + 4 * i) - f32(base + 4 * i));
  const deltaF64 = (base: Pointer) => (entry: Pointer, i: number) => f64(inputOf(entry) + 8 * i) - f64(base + 8 * i);

  return {
    mergeActiveF32: (output, base, table, models, epsilon, n) => {
      for (let i = 0; i < n; i++) {
        const delta = (entry: Pointer): number => deltaF32(base)(entry, i);
        const active = entriesOf(table, models).filter((entry) => isActive(delta(entry), Math.fround(epsilon)));
        const [only] = active;
        const sum = active.reduce((total, entry) => Math.fround(total + delta(entry)), 0);
        const change =
          only !== undefined && active.length === 1
            ? Math.fround(0 + Math.fround(delta(only) * f32(only + 4)))
            : Math.fround(sum / Math.max(1, active.length));
        view().setFloat32(output + 4 * i, f32(base + 4 * i) + change, true);
      }
    },
    mergeActiveF64: (output, base, table, models, epsilon, n) => {
      for (let i = 0; i < n; i++) {
        const delta = (entry: Pointer): number => deltaF64(base)(entry, i);
        const active = entriesOf(table, models).filter((entry) => isActive(delta(entry), epsilon));
        const [only] = active;
        const sum = active.reduce((total, entry) => total + delta(entry), 0);
        const change =
          only !== undefined && active.length === 1
            ? 0 + delta(only) * f64(only + 8)
            : sum / Math.max(1, active.length);
        view().setFloat64(output + 8 * i, f64(base + 8 * i) + change, true);
      }
    },
    mergeActivePairBF16: (output, base, x, y, factorX, factorY, epsilon, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const changes = [x, y].map((model, m) => {
          const delta = fround(brain(model, i) - brain(base, i));
          return { delta, factor: fround(m === 0 ? factorX : factorY) };
        });
        const active = changes.filter(({ delta }) => isActive(delta, fround(epsilon)));
        const [only] = active;
        let change = 0;
        if (only !== undefined && active.length === 1) change = 0 + fround(only.delta * only.factor);
        if (active.length === 2) change = fround(active.reduce((sum, { delta }) => fround(sum + delta), 0) / 2);
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(brain(base, i) + change)), true);
      }
    },
    countActivePairBF16: (base, x, y, target, epsilon, n) => {
      const counts = new Float64Array(4);
      for (let i = 0; i < n; i++) {
        const [inX, inY] = [x, y].map((model) =>
          isActive(Math.fround(brain(model, i) - brain(base, i)), Math.fround(epsilon)),
        );
        [inX && !inY, inX, inY && !inX, inY].forEach((isCounted, at) => {
          if (isCounted === true) counts[at] = (counts[at] ?? 0) + 1;
        });
      }
      counts.forEach((count, at) => view().setFloat64(target + 8 * at, count, true));
    },
    countActiveF32: (base, table, models, epsilon, n) =>
      count(entriesOf(table, models), n, Math.fround(epsilon), deltaF32(base)),
    countActiveF64: (base, table, models, epsilon, n) => count(entriesOf(table, models), n, epsilon, deltaF64(base)),
  };
}
