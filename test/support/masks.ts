import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { writeCheckpoint } from './checkpoints.js';
import { merge } from './merge.js';
import { readModel, type StoredTensor, valuesOf } from './safetensors.js';
import { encode } from './tensors.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, exp, floor, sqrt } = Math;

export interface MaskRequest {
  method: 'dare_linear' | 'della_linear';
  parameters: Record<string, number>;
  seed: number;
  threads?: number;
}

/** A folder of models whose merges show masks: the base is zero, and the two models are not, anywhere. */
export class MaskFolder {
  private readonly root = mkdtempSync(join(tmpdir(), 'amalgam-masks-'));

  /** @param deltas of each tensor, the same in both models: not zero anywhere */
  constructor(deltas: Record<string, { values: Float64Array; shape: number[] }>) {
    const write = (name: string, valueOf: (value: number) => number): void => {
      const tensors = Object.entries(deltas).map(([tensor, { values, shape }]): [string, StoredTensor] => {
        return [tensor, { dtype: 'F32', shape, bytes: encode('F32', values.map(valueOf)) }];
      });
      writeCheckpoint(join(this.root, name), { request: { seed: 0 }, config: undefined, tensors: new Map(tensors) });
    };
    write('base', () => 0);
    for (const model of ['a', 'b']) write(model, (value) => value);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }

  /** The rank of each element in its row, 0 for the smallest magnitude. */
  ranks(tensor: string, columns: number): Uint32Array {
    const stored = readModel(join(this.root, 'a')).get(tensor);
    const sizes = stored === undefined ? new Float64Array(0) : valuesOf(stored).map(abs);
    const ranks = new Uint32Array(sizes.length);
    for (let start = 0; start < sizes.length; start += columns) {
      const row = Array.from({ length: columns }, (_unused, i) => start + i);
      row.sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || b - a).forEach((i, rank) => (ranks[i] = rank));
    }
    return ranks;
  }

  /** For each tensor and model: 1 where the mask keeps an element. */
  async draw({ method, parameters, seed, threads = 1 }: MaskRequest): Promise<Map<string, [Uint8Array, Uint8Array]>> {
    const directory = mkdtempSync(join(this.root, 'out-'));
    const models = [1, 2].map((weight, k) => ({ model: 'ab'[k], parameters: { weight, ...parameters } }));
    const recipe = dump({ merge_method: method, base_model: 'base', models, parameters: { rescale: false } });
    await merge({ recipe, directory, cwd: this.root, plan: { seed }, execute: { threads } });
    const source = readModel(join(this.root, 'a'));
    const merged = [...readModel(directory)].map(([name, tensor]): [string, [Uint8Array, Uint8Array]] => {
      const whole = source.get(name);
      const deltas = whole === undefined ? new Float64Array(0) : valuesOf(whole);
      // Weights 1 and 2: the result says which of the two kept the element.
      const sums = valuesOf(tensor).map((value, i) => Math.round(value / (deltas[i] ?? 1)));
      return [name, [Uint8Array.from(sums, (sum) => sum & 1), Uint8Array.from(sums, (sum) => sum >> 1)]];
    });
    rmSync(directory, { recursive: true });
    return new Map(merged);
  }
}

export function shareOf(mask: Uint8Array): number {
  return mask.reduce((sum, bit) => sum + bit, 0) / mask.length;
}

/** Standard deviations by which the share that a mask keeps is off, when each element has this probability. */
export function zScore(mask: Uint8Array, probability: number): number {
  return ((shareOf(mask) - probability) * sqrt(mask.length)) / sqrt(probability * (1 - probability));
}

/** The correlation of two masks. */
export function correlation(a: Uint8Array, b: Uint8Array): number {
  const [p, q] = [shareOf(a), shareOf(b)];
  const both = a.reduce((sum, bit, i) => sum + (bit & (b[i] ?? 0)), 0) / a.length;
  return (both - p * q) / sqrt(p * (1 - p) * q * (1 - q));
}

/** The p-value of a Kolmogorov-Smirnov test of a sample against N(0, 1). */
export function normalProbability(sample: readonly number[]): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((z, i) => {
    const below = normalCdf(z);
    distance = Math.max(distance, abs(below - i / n), abs((i + 1) / n - below));
  });
  const x = (sqrt(n) + 0.12 + 0.11 / sqrt(n)) * distance;
  let tail = 0;
  for (let k = 1; k <= 100; k++) tail += (k % 2 === 1 ? 2 : -2) * exp(-2 * k * k * x * x);
  return x < 0.2 ? 1 : Math.max(0, Math.min(1, tail));
}

/** Abramowitz and Stegun 26.2.17: within 7.5e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * abs(z));
  const terms = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
  const polynomial = terms.reduceRight((sum, term) => (sum + term) * t, 0);
  const upper = (exp((-z * z) / 2) / sqrt(2 * Math.PI)) * polynomial;
  return z > 0 ? 1 - upper : upper;
}

/** `count` pairs of different indices below `limit`, drawn with a fixed seed. */
export function pairsBelow(limit: number, count: number, next: () => number): [number, number][] {
  return Array.from({ length: count }, () => {
    const first = floor(next() * limit);
    return [first, (first + 1 + floor(next() * (limit - 1))) % limit];
  });
}
