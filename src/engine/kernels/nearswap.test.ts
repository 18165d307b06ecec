import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAP_START, compileKernels, instantiateKernels } from './kernels.js';
import { bitsOf, singleOf, singleToBrain } from './scalar-bits.js';

const memory = new WebAssembly.Memory({ initial: 16, maximum: 1024 });
const kernels = instantiateKernels(compileKernels(), memory);
const [X, BASE, OUT] = [HEAP_START, HEAP_START + 4096, HEAP_START + 8192];

function nearswapped(x: number, base: number, t: number): number {
  new Float32Array(memory.buffer, X, 4).fill(x);
  new Float32Array(memory.buffer, BASE, 4).fill(base);
  kernels.nearswapF32(OUT, X, BASE, t, 4);
  return new Float32Array(memory.buffer, OUT, 1)[0] ?? 0;
}

const weight = fc.float({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
const distance = fc.oneof(fc.double({ min: 1e-6, max: 2, noNaN: true }), fc.constantFrom(0, 1e-9, 9e-7, 0.01, 1e39));

test('is w x + (1 - w) b to an ulp, also where the base nearly cancels the distance', () => {
  const near = fc.tuple(distance, fc.constantFrom(-1, 1)).map(([t, sign]) => [t, Math.fround(sign * t)] as const);
  const cases = fc.oneof(fc.tuple(distance, weight), near);
  fc.assert(
    fc.property(cases, weight, ([t, base], x) => {
      fc.pre(Math.abs(base) < 1e30);
      const w = Math.max(0, Math.min(1, t / Math.max(1e-6, Math.abs(x - base))));
      const exact = w === 1 ? x : t < 1e-6 ? base + w * (x - base) : base + Math.sign(x - base) * t;
      const terms = Math.abs(w * x) + Math.abs((1 - w) * base);
      // The last term is what `exact` itself may be wrong by.
      const bound = 2 ** -23 * Math.abs(exact) + 2 ** -22 * terms + 2 ** -52;
      expect(Math.abs(nearswapped(x, base, t) - exact)).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 5000 },
  );
});

test('of bf16 it is the same, rounded once more', () => {
  const brain = weight.map((value) => singleToBrain(bitsOf(value)));
  fc.assert(
    fc.property(brain, brain, distance, (x, base, t) => {
      const [there, here] = [singleOf(x << 16), singleOf(base << 16)];
      const rounded = singleToBrain(bitsOf(nearswapped(there, here, t)));
      new Uint16Array(memory.buffer, X, 8).fill(x);
      new Uint16Array(memory.buffer, BASE, 8).fill(base);
      kernels.nearswapBF16(OUT, X, BASE, t, 8);
      expect([...new Uint16Array(memory.buffer, OUT, 8)]).toEqual(new Array(8).fill(rounded));
    }),
    { numRuns: 1000 },
  );
});
