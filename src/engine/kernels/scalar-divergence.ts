import type { Kernels, Pointer } from './kernels.js';

type DivergenceKernels = Pick<Kernels, 'exponentialsF32' | 'exponentialsF64' | 'divergence'>;

const ROUNDER = 6755399441055744;
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const EPSILON = 1e-8;
const NEAR = 0.03125;
const CLOSE = 0.015625;

const bits = new DataView(new ArrayBuffer(8));

/** The twins of assembly/divergence.ts, where the formulas are explained. */
export function scalarDivergence(memory: WebAssembly.Memory): DivergenceKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const exponentials = (
    pairAt: (i: number) => [number, number],
    [targetX, targetY, sums]: [Pointer, Pointer, Pointer],
    n: number,
  ): void => {
    const pairs = Array.from({ length: n }, (_unused, i) => pairAt(i));
    const shift = pairs.flat().reduce((largest, value) => (largest < value ? value : largest), -Infinity);
    const powers = pairs.map(([x, y]): [number, number] => {
      const ex = exp(x - shift);
      return [ex, Math.abs(y - x) <= CLOSE ? ex * series([120, 24, 6, 2, 1, 1], y - x) : exp(y - shift)];
    });
    powers.forEach(([ex, ey], i) => {
      view().setFloat64(targetX + 8 * i, ex, true);
      view().setFloat64(targetY + 8 * i, ey, true);
    });
    view().setFloat64(sums, sumOf(powers.map(([ex]) => ex)), true);
    view().setFloat64(sums + 8, sumOf(powers.map(([, ey]) => ey)), true);
  };
  return {
    exponentialsF32: (x, y, targetX, targetY, sums, n) =>
      exponentials(
        (i) => [view().getFloat32(x + 4 * i, true), view().getFloat32(y + 4 * i, true)],
        [targetX, targetY, sums],
        n,
      ),
    exponentialsF64: (x, y, targetX, targetY, sums, n) =>
      exponentials(
        (i) => [view().getFloat64(x + 8 * i, true), view().getFloat64(y + 8 * i, true)],
        [targetX, targetY, sums],
        n,
      ),
    divergence: (x, sumX, y, sumY, n) => {
      const share = (at: Pointer, total: number, i: number): number =>
        view().getFloat64(at + 8 * i, true) * (1 / total) + EPSILON;
      const terms = Array.from({ length: n }, (_unused, i) => {
        const [p, q] = [share(x, sumX, i), share(y, sumY, i)];
        return p * logOfRatio(p, q);
      });
      const whole = n - (n % 4);
      let sum = inFours(terms.slice(0, whole));
      for (const term of terms.slice(whole)) sum += term;
      return sum < 0 ? 0 : sum;
    },
  };
}

/** Two lanes for whole pairs, then the last element. */
function sumOf(terms: readonly number[]): number {
  const whole = terms.length - (terms.length % 2);
  const lanes = [0, 0];
  for (let i = 0; i < whole; i++) lanes[i % 2] = (lanes[i % 2] ?? 0) + (terms[i] ?? 0);
  const [even = 0, odd = 0] = lanes;
  return terms.slice(whole).reduce((total, term) => total + term, even + odd);
}

/** Four lanes, which meet as two. */
function inFours(terms: readonly number[]): number {
  const lanes = [0, 0, 0, 0];
  terms.forEach((term, i) => (lanes[i % 4] = (lanes[i % 4] ?? 0) + term));
  const [a = 0, b = 0, c = 0, d = 0] = lanes;
  return a + c + (b + d);
}

/** r^n / n! and so on down to 1, by Horner's rule. */
function series(factorials: readonly number[], r: number): number {
  return factorials.reduce((sum, factorial) => sum * r + 1 / factorial, 0);
}

function exp(x: number): number {
  const y = Math.max(x, -700);
  const k = y * 1.4426950408889634 + ROUNDER - ROUNDER;
  const r = y - k * LN2_HIGH - k * LN2_LOW;
  bits.setBigUint64(0, BigInt(Number.isNaN(k) ? 0 : k + 1023) << 52n);
  return series([362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1], r) * bits.getFloat64(0);
}

function logOfRatio(p: number, q: number): number {
  const r = (p - q) / (p + q);
  if (Math.abs(r) <= NEAR) {
    const z = r * r;
    return (r + r) * (((z * (1 / 7) + 1 / 5) * z + 1 / 3) * z + 1);
  }
  const ratio = p / q;
  if (!(ratio > 0)) return NaN;
  bits.setFloat64(0, ratio);
  const own = bits.getBigUint64(0);
  const exponent = BigInt.asIntN(64, own - 0x3fe6_a09e_667f_3bcdn) >> 52n;
  bits.setBigUint64(0, own - (exponent << 52n));
  const m = bits.getFloat64(0);
  const k = Number(exponent);
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum = 1 / 21;
  for (let odd = 19; odd > 0; odd -= 2) sum = sum * z + 1 / odd;
  return k * LN2_HIGH + (2 * s * sum + k * LN2_LOW);
}
