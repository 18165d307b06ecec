import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAP_START, compileKernels, instantiateKernels } from './kernels.js';
import { scalarKernels } from './scalar.js';
import { bitsOf, singleToBrain } from './scalar-bits.js';

const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
const simd = instantiateKernels(compileKernels(), memory);
const scalar = scalarKernels(memory);
type Twin = typeof simd | typeof scalar;
const [BASE, X, Y, SETTINGS, MASK, VALUES] = [0, 1, 2, 3, 4, 5].map((place) => HEAP_START + place * 65_536) as [
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Few different distances, some of them too far apart for an f32, of weights of any size. */
const weight = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: -6, max: 6 }).map((step) => step / 64) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, 1e-30, -1e-22, 2 ** -37, 2 ** -73, 1e-9, 3e19, 2 ** 127) },
);
const triples = fc
  .integer({ min: 1, max: 1400 })
  .chain((n) => fc.array(fc.tuple(weight, weight, weight), { minLength: n, maxLength: n, size: 'max' }));

function write(rows: readonly (readonly [number, number, number])[]): void {
  new Uint8Array(memory.buffer, BASE, 6 * 65_536).fill(7);
  [BASE, X, Y].forEach((place, m) => {
    new Uint16Array(memory.buffer, place, rows.length).set(rows.map((row) => singleToBrain(bitsOf(row[m] ?? 0))));
  });
}

/** The keys of the variances, the largest first. */
function keysOf(rows: readonly (readonly [number, number, number])[]): Uint32Array {
  write(rows);
  scalar.variancePairBF16(VALUES, BASE, X, Y, rows.length);
  return new Uint32Array(memory.buffer, VALUES, rows.length).slice().sort().reverse();
}

test('what is selected by distances is what variances select', () => {
  const quotas = fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 500, max: 1100 }));
  fc.assert(
    fc.property(triples, fc.nat(), fc.integer({ min: -1, max: 1 }), quotas, (rows, pick, shift, quota) => {
      const keys = keysOf(rows);
      const key = Math.max(-1, Math.min(0x7fff_ffff, (keys[pick % keys.length] ?? 0) + shift));
      const run = (kernels: Twin): unknown => {
        write(rows);
        new Int32Array(memory.buffer, SETTINGS, 2).set([key, quota]);
        kernels.measureSelectedPairBF16(BASE, X, Y, SETTINGS, MASK, SETTINGS + 8, rows.length);
        const sums = [...new Float64Array(memory.buffer, SETTINGS + 8, 2)];
        const mask = [...new Uint8Array(memory.buffer, MASK, rows.length >> 3)];
        return { sums, mask, quota: new Uint32Array(memory.buffer, SETTINGS, 2)[1] };
      };
      expect(run(simd)).toEqual(run(scalar));
    }),
    { numRuns: 200 },
  );
});

test('what is counted by distances is what variances count', () => {
  fc.assert(
    fc.property(triples, fc.nat(), fc.nat(), fc.nat({ max: 2 }), (rows, pick, other, shift) => {
      const keys = keysOf(rows).filter((key) => key > 0x80_0001 && key < 0x7f80_0000);
      const ends = [pick, other].map((at) => keys[at % Math.max(1, keys.length)] ?? 0x3f80_0000).sort((a, b) => a - b);
      const low = (ends[0] ?? 0) - shift;
      const width = Math.min(4096, (ends[1] ?? 0) - low + 1);
      const run = (kernels: Twin): unknown => {
        write(rows);
        const pages = Math.ceil(width / 64);
        new Uint8Array(memory.buffer, VALUES, 65 * 4 * pages).fill(0);
        new Uint32Array(memory.buffer, SETTINGS, 6).set([low, width, VALUES, 0, 3, 0]);
        const nonzero = kernels.countVariancesPairBF16(BASE, X, Y, SETTINGS, rows.length);
        const counts = new Uint32Array(memory.buffer, VALUES, 65 * pages).slice();
        return { nonzero, counts, above: new Uint32Array(memory.buffer, SETTINGS, 6)[4] };
      };
      expect(run(simd)).toEqual(run(scalar));
    }),
    { numRuns: 200 },
  );
});
