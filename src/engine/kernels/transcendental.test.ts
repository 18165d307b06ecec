import { describe, expect, test } from '@jest/globals';
import { compileKernels, HEAP_START, instantiateKernels } from './kernels.js';

const memory = new WebAssembly.Memory({ initial: 16, maximum: 64 });
const simd = instantiateKernels(compileKernels(), memory);
const [A, B, E] = [0, 1, 2].map((slot) => HEAP_START + slot * 65_536) as [number, number, number];

/** u^2/2 - u^3/3 + u^4/4 and so on. */
function series(u: number): number {
  let sum = 0;
  for (let n = 12; n >= 2; n--) sum = ((n % 2 === 0 ? 1 : -1) / n + sum) * u;
  return sum * u;
}

describe('transcendental functions', () => {
  test.each([
    ['near each other', 0.05, 0.001],
    ['apart', 0.05, 0.1],
    ['far apart', 30, 1.5],
  ])('the divergence of rows that are %s is right to nine digits', (_case, size, difference) => {
    const y = Float64Array.from({ length: 997 }, (_unused, i) => size * Math.sin(i * i));
    const x = y.map((value, i) => value + difference * Math.cos(7 * i));
    new Float64Array(memory.buffer, A, x.length).set(x);
    new Float64Array(memory.buffer, B, y.length).set(y);
    const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0);
    const largest = Math.max(...x);
    const powers = x.map((value) => Math.exp(value - largest));
    const changes = powers.map((power, i) => power * Math.expm1((y[i] ?? 0) - (x[i] ?? 0)));
    const [sum, change] = [total(powers), total(changes)];
    const exact = total(
      powers.map((power, i) => {
        const p = power / sum + 1e-8;
        const u = ((changes[i] ?? 0) - (power * change) / sum) / (sum + change) / p;
        // u - ln(1 + u), of whose terms the first cancels.
        return p * (Math.abs(u) < 0.01 ? series(u) : u - Math.log1p(u));
      }),
    );
    expect(simd.divergenceF64(A, B, E, x.length) / exact).toBeCloseTo(1, 10);
  });

  test('are what they have always been, to the bit', () => {
    expect([simd.acos(0.5), simd.acos(-1), simd.cos(1), simd.sin(1), simd.sin(0), simd.exp(0.3)]).toEqual([
      1.0471975511965979, 3.141592653589793, 0.5403023058681398, 0.8414709848078965, 0, 1.3498588075760032,
    ]);
  });
});
