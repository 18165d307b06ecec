import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { writeCheckpoint } from '../support/checkpoints.js';
import { merge } from '../support/merge.js';
import { Random } from '../support/random.js';
import { readModel, type StoredTensor, valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

// With one model of weight 1 the result is the base plus the trimmed task vector, so what was kept can be read off it.

/** Two canonical blocks (16,384 elements) and part of a third. */
const ELEMENTS = 40_007;
const TINY = 3;

/** Changes of few different sizes, so that hundreds of elements share the threshold's magnitude. */
function changes(dtype: FloatDtype): Float64Array {
  const random = new Random(77);
  const step = dtype === 'F64' ? 2 ** -40 : 2 ** -6;
  return Float64Array.from({ length: ELEMENTS }, () => (random.chance(0.5) ? 1 : -1) * random.integer(1, 100) * step);
}

/** Indices from the largest magnitude to the smallest; among equal ones the lower index counts as larger. */
function descending(deltas: Float64Array): number[] {
  const size = (i: number): number => Math.abs(deltas[i] ?? 0);
  return Array.from(deltas.keys()).sort((a, b) => size(b) - size(a) || a - b);
}

describe.each(['BF16', 'F16', 'F32', 'F64'] as const)('what TIES keeps of a %s task vector', (dtype) => {
  const deltas = changes(dtype);
  const order = { large: descending(deltas), tiny: descending(deltas.subarray(0, TINY)) };
  let root = '';

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-ties-'));
    const tensor = (values: ArrayLike<number>, shape: number[]): StoredTensor => {
      return { dtype, shape, bytes: encode(dtype, values) };
    };
    const write = (name: string, values: Float64Array): void => {
      const tensors = new Map([
        ['large', tensor(values, [values.length])],
        ['tiny', tensor(values.subarray(0, TINY), [TINY])],
      ]);
      writeCheckpoint(join(root, name), { request: { seed: 0 }, config: undefined, tensors });
    };
    write('base', new Float64Array(ELEMENTS));
    write('model', deltas);
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each([
    { density: 0.37, threads: 1, chunkBytes: 1 << 20 },
    { density: 0.37, threads: 3, chunkBytes: 1 },
    { density: 0.000_01, threads: 2, chunkBytes: 65_536 },
    { density: 0.999_99, threads: 2, chunkBytes: 65_536 },
    { density: 0, threads: 1, chunkBytes: 1 << 20 },
    { density: 1, threads: 2, chunkBytes: 1 << 20 },
  ])('density $density, $threads threads, chunks of $chunkBytes bytes', async ({ density, threads, chunkBytes }) => {
    const directory = join(root, `out-${density}-${threads}`);
    const parameters = { weight: 1, density };
    const recipe = dump({ merge_method: 'ties', base_model: 'base', models: [{ model: 'model', parameters }] });
    await merge({ recipe, directory, cwd: root, execute: { threads, chunkBytes } });
    const merged = readModel(directory);
    for (const name of ['large', 'tiny'] as const) {
      const tensor = merged.get(name);
      const values = tensor === undefined ? new Float64Array(0) : valuesOf(tensor);
      const elements = order[name].length;
      const count = density <= 0 ? 0 : Math.max(1, Math.trunc(density * elements));
      const kept = new Set(order[name].slice(0, count));
      const wrong = order[name].filter((i) => values[i] !== (kept.has(i) ? deltas[i] : 0));
      expect({ name, wrong }).toEqual({ name, wrong: [] });
    }
  });
});
