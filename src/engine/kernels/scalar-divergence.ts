import type { Kernels, Pointer } from './kernels.js';
import { brainReader } from './scalar-bits.js';

type DivergenceKernels = Pick<Kernels, 'divergenceF32' | 'divergenceF64' | 'divergenceBF16'>;

const ROUNDER = 6755399441055744;
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const EPSILON = 1e-8;
const CLOSE = 0.015625;
const NEAR = 0.0078125;
const FURTHEST = 700;
const [LEAST_SUM, MOST_SUM] = [1e-100, 1e100];

const bits = new DataView(new ArrayBuffer(8));

/** The twins of assembly/divergence.ts, where the formulas are explained. */
export function scalarDivergence(memory: WebAssembly.Memory): DivergenceKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const row = (n: number, at: (i: number) => number): number[] => Array.from({ length: n }, (_unused, i) => at(i));
  const brain = brainReader(memory);
  const brains = (x: Pointer, n: number): number[] => row(n, (i) => brain(x, i));
  const singles = (x: Pointer, n: number): number[] => row(n, (i) => view().getFloat32(x + 4 * i, true));
  const doubles = (x: Pointer, n: number): number[] => row(n, (i) => view().getFloat64(x + 8 * i, true));
  return {
    divergenceF32: (x, y, _scratch, n) => divergence(singles(x, n), singles(y, n)),
    divergenceF64: (x, y, _scratch, n) => divergence(doubles(x, n), doubles(y, n)),
    divergenceBF16: (x, y, _scratch, n) => divergence(brains(x, n), brains(y, n)),
  };
}

interface Measured {
  /** e^x and e^y - e^x of each element. */
  powers: [number, number][];
  sum: number;
  difference: number;
}

function divergence(xs: readonly number[], ys: readonly number[]): number {
  let measured = measure(xs, ys);
  const isMeasured = (sum: number): boolean => sum >= LEAST_SUM && sum <= MOST_SUM;
  if (!isMeasured(measured.sum) || !isMeasured(measured.sum + measured.difference)) {
    const [shiftX, shiftY] = [largestOf(xs), largestOf(ys)];
    measured = measure(
      xs.map((x) => x - shiftX),
      ys.map((y) => y - shiftY),
    );
  }
  const { powers, sum, difference } = measured;
  const total = sum + difference;
  const [perX, twice, epsilons] = [difference / sum, 2 * (total / sum), 2 * EPSILON * total];
  return inFours(powers.map(([e, d]) => term(e * twice + epsilons, d - e * perX))) / total;
}

function measure(xs: readonly number[], ys: readonly number[]): Measured {
  const powers = xs.map((x, i): [number, number] => {
    const [e, delta] = [exp(x), (ys[i] ?? 0) - x];
    const less = ((((delta * (1 / 120) + 1 / 24) * delta + 1 / 6) * delta + 0.5) * delta + 1) * delta;
    return [e, Math.abs(delta) <= CLOSE ? e * less : exp(ys[i] ?? 0) - e];
  });
  return { powers, sum: inFours(powers.map(([e]) => e)), difference: inFours(powers.map(([, d]) => d)) };
}

/** Four lanes, which meet as two. */
function inFours(terms: readonly number[]): number {
  const lanes = [0, 0, 0, 0];
  terms.forEach((term, i) => (lanes[i % 4] = (lanes[i % 4] ?? 0) + term));
  const [a = 0, b = 0, c = 0, d = 0] = lanes;
  return a + c + (b + d);
}

function largestOf(values: readonly number[]): number {
  return values.reduce((largest, value) => (largest < value ? value : largest), -Infinity);
}

function exp(x: number): number {
  const y = Math.min(Math.max(x, -FURTHEST), FURTHEST);
  const k = y * 1.4426950408889634 + ROUNDER - ROUNDER;
  const r = y - k * LN2_HIGH - k * LN2_LOW;
  bits.setBigUint64(0, BigInt(Number.isNaN(k) ? 0 : k + 1023) << 52n);
  const factorials = [362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1];
  return factorials.reduce((sum, factorial) => sum * r + 1 / factorial, 0) * bits.getFloat64(0);
}

function term(twiceP: number, difference: number): number {
  const r = difference / (twiceP + difference);
  if (r * r <= NEAR * NEAR) return difference * r * (1 - r * (1 - r) * (r * r * (1 / 5) + 1 / 3));
  const p = twiceP * 0.5;
  return p * logOf(p / (p + difference)) + difference;
}

function logOf(x: number): number {
  if (!(x > 0)) return NaN;
  bits.setFloat64(0, x);
  const own = bits.getBigUint64(0);
  const exponent = BigInt.asIntN(64, own - 0x3fe6_a09e_667f_3bcdn) >> 52n;
  bits.setBigUint64(0, own - (exponent << 52n));
  const m = bits.getFloat64(0);
  const k = Number(exponent);
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum = 1 / 21;
  for (let odd = 19; odd > 0; odd -= 2) sum = sum * z + 1 / odd;
  return k * LN2_HIGH + ((s + s) * sum + k * LN2_LOW);
}
