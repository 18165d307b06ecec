import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAP_START, compileKernels, instantiateKernels } from './kernels.js';
import { scalarKernels } from './scalar.js';

const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
const simd = instantiateKernels(compileKernels(), memory);
const scalar = scalarKernels(memory);
const [X, COUNTS] = [HEAP_START, HEAP_START + 65_536];

/** Both twins on the same elements: what each adds to its two counts. */
function countTwice(bytes: Uint8Array, count: (kernels: typeof simd | typeof scalar) => void): [number[], number[]] {
  const run = (kernels: typeof simd | typeof scalar): number[] => {
    new Uint8Array(memory.buffer, X, bytes.length + 64).fill(255);
    new Uint8Array(memory.buffer, X, bytes.length).set(bytes);
    const counts = new Uint32Array(memory.buffer, COUNTS, 2);
    counts.set([5, 7]);
    count(kernels);
    return [...counts];
  };
  return [run(simd), run(scalar)];
}

/** Bit patterns with many whose exponent is all ones. */
const words = (special: number[], max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof(fc.constantFrom(...special), fc.nat(max)), { minLength: 1, maxLength: 70 });

describe('the kernels that compare task vectors', () => {
  const element = fc.oneof(fc.constantFrom(0, -0, NaN, 1, -1, Infinity, 2 ** -1074), fc.double({ noNaN: true }));
  const inputs = fc.nat({ max: 600 }).chain((extra) => {
    const input = fc.array(element, { minLength: extra + 1, maxLength: extra + 1, size: 'max' });
    return fc.array(input, { minLength: 2, maxLength: 4 });
  });

  test.each([
    ['observeF32', Float32Array],
    ['observeF64', Float64Array],
  ] as const)('%s adds up alike, at every length of tail', (name, Elements) => {
    fc.assert(
      fc.property(inputs, fc.boolean(), fc.boolean(), (vectors, hasBase, hasResult) => {
        const n = vectors[0]?.length ?? 0;
        const pointers = vectors.map((_vector, m) => X + m * 8192);
        const [output, table, scratch, target] = [X + 32_768, X + 40_960, X + 41_984, COUNTS] as const;
        const models = vectors.length - (hasBase ? 1 : 0);
        const run = (kernels: typeof simd | typeof scalar): Uint8Array => {
          new Uint8Array(memory.buffer, X, 65_536).fill(1);
          vectors.forEach((vector, m) => new Elements(memory.buffer, pointers[m], n).set(vector));
          new Elements(memory.buffer, output, n).set(vectors[1] ?? []);
          new Uint32Array(memory.buffer, table, vectors.length).set(pointers);
          new Uint8Array(memory.buffer, target, 256).fill(0);
          kernels[name](table, models, hasBase ? 1 : 0, hasBase && hasResult ? output : 0, scratch, target, n);
          const sums = new Float64Array(memory.buffer, target, (models * (models + 1)) / 2);
          // Which NaN is not said.
          sums.forEach((sum, at) => Number.isNaN(sum) && (sums[at] = NaN));
          return new Uint8Array(memory.buffer, target, 256).slice();
        };
        expect(run(simd)).toEqual(run(scalar));
      }),
    );
  });
});

describe('the kernels that count NaN and infinity', () => {
  test.each([0x7f80, 0x7c00])('of 16 bits with infinity at %i see every one, at every length of tail', (infinity) => {
    const special = [infinity, infinity | 0x8000, infinity + 1, 0xffff, infinity - 1];
    fc.assert(
      fc.property(words(special, 0xffff), (values) => {
        const bytes = new Uint8Array(Uint16Array.from(values).buffer);
        const [mine, twin] = countTwice(bytes, (k) => k.countSpecial16(X, infinity, COUNTS, values.length));
        const nan = values.filter((value) => (value & 0x7fff) > infinity).length;
        const infinite = values.filter((value) => (value & 0x7fff) === infinity).length;
        expect(mine).toEqual([5 + nan, 7 + infinite]);
        expect(twin).toEqual(mine);
      }),
    );
  });

  const numbers = fc.array(fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity, 3.4e38, -0), fc.float()), {
    minLength: 1,
    maxLength: 70,
  });

  test.each([
    ['countSpecial32', Float32Array],
    ['countSpecial64', Float64Array],
  ] as const)('%s sees every one, at every length of tail', (name, Elements) => {
    fc.assert(
      fc.property(numbers, (values) => {
        const bytes = new Uint8Array(Elements.from(values).buffer);
        const [mine, twin] = countTwice(bytes, (kernels) => kernels[name](X, COUNTS, values.length));
        const nan = values.filter(Number.isNaN).length;
        const finite = values.filter(Number.isFinite).length;
        expect(mine).toEqual([5 + nan, 7 + values.length - nan - finite]);
        expect(twin).toEqual(mine);
      }),
    );
  });
});
