import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import { writeCheckpoint } from '../support/checkpoints.js';
import { damCoefficients, writeCoefficients } from '../support/coefficients.js';
import { merge } from '../support/merge.js';
import { Random } from '../support/random.js';
import { encode } from '../support/tensors.js';

// Models of bf16 are merged without decoding them where a method has a kernel for that. The blocks that the report looks at
// are decoded nevertheless: all of them for a full report, none without one. The bytes must be the same.

/** A few canonical blocks, in the last of which a vector is left over. */
const SHAPE = [41, 1027];

/** Every other element of a task vector is one of few sizes, as differences of bf16 are: many equal a threshold. */
const models = ['base', 'a', 'b'].map((name, seed) => {
  const random = new Random(90 + seed);
  const draw = (i: number): number => {
    if (seed === 0) return i % 2 === 0 ? random.normal() * 0.04 : random.integer(-8, 8) / 64;
    return i % 2 === 0 ? random.normal() * 0.02 : random.integer(-6, 6) / 64;
  };
  return { name, values: Float64Array.from({ length: 41 * 1027 }, (_unused, i) => draw(i)) };
});

function recipe(method: string, a: object, b: object, parameters: object = {}): string {
  const entries = [
    { model: 'a', parameters: a },
    { model: 'b', parameters: b },
  ];
  return dump({ merge_method: method, base_model: 'base', models: entries, parameters, dtype: 'bfloat16' });
}

/** Models without a base where the method takes none. */
function weighted(method: string): string {
  const weightless = ['model_stock', 'karcher', 'slerp'].includes(method);
  const entries = ['a', 'b'].map((model, i) => ({
    model,
    ...(!weightless && { parameters: { weight: 0.3 + i / 3 } }),
  }));
  const base = ['task_arithmetic', 'model_stock', 'multislerp', 'nuslerp'].includes(method) ? 'base' : undefined;
  const origin = method === 'slerp' ? 'a' : base;
  const parameters = method === 'slerp' ? { t: 0.3 } : undefined;
  return dump({
    merge_method: method,
    ...(origin !== undefined && { base_model: origin }),
    models: entries,
    ...(parameters !== undefined && { parameters }),
    dtype: 'bfloat16',
  });
}

/** One model and its base. */
function overBase(method: string, parameters: object, common: object = {}): string {
  const models = [{ model: 'a', parameters }];
  return dump({ merge_method: method, base_model: 'base', models, parameters: common, dtype: 'bfloat16' });
}

const fusion = { merge_method: 'sce', base_model: 'base', models: [{ model: 'a' }, { model: 'b' }], dtype: 'bfloat16' };
const sparse = { density: 0.4, weight: 0.3 };
const equal = { density: 0.5, weight: 0.5 };
const methods = ['ties', 'breadcrumbs', 'breadcrumbs_ties', 'dare_linear', 'dare_ties', 'della', 'della_linear'];
const geometric = ['task_arithmetic', 'model_stock', 'multislerp', 'nuslerp', 'karcher', 'linear', 'slerp'];
const cases: [string, string][] = [
  ...geometric.map((method): [string, string] => [method, weighted(method)]),
  ...methods.map((method): [string, string] => [method, recipe(method, sparse, { density: 0.6, weight: 0.7 })]),
  ['sce', dump({ ...fusion, parameters: { select_topk: 0.4 } })],
  ['sce of all elements', dump({ ...fusion, parameters: { select_topk: 1 } })],
  ['arcee_fusion', dump({ ...fusion, merge_method: 'arcee_fusion', models: [{ model: 'a' }] })],
  ['task_arithmetic of one model', overBase('task_arithmetic', { weight: 0.3 })],
  ['expo', overBase('expo', {}, { alpha: 0.3 })],
  ['lines', recipe('lines', { weight: 0.3 }, { weight: 0.7 }, { alpha: 0.2, beta: 0.7 })],
  ['dam', dump({ merge_method: 'dam', models: fusion.models, coefficients: 'coefficients', dtype: 'bfloat16' })],
  ['nearswap', overBase('nearswap', {}, { t: 0.02 })],
  ['magmax', dump({ ...fusion, merge_method: 'magmax', parameters: { lambda: 0.7 } })],
  ['ram', dump({ ...fusion, merge_method: 'ram', parameters: { epsilon: 0.01 } })],
  ['ramplus_tl', dump({ ...fusion, merge_method: 'ramplus_tl', parameters: { epsilon: 0.01 } })],
  ['widen', dump({ ...fusion, merge_method: 'widen' })],
  ['widen of one model', overBase('widen', {})],
  ['ties with equal votes', recipe('ties', equal, equal)],
  ['ties without division', recipe('ties', sparse, equal, { normalize: false, lambda: 0.8 })],
  ['ties of all elements', recipe('ties', { density: 1, weight: 0.2 }, sparse)],
  ['ties with rescaled deltas', recipe('ties', sparse, equal, { rescale: 'l1' })],
  ['ties with a model turned around', recipe('ties', { density: 0.5, weight: -0.3 }, equal)],
  ['breadcrumbs with many outliers', recipe('breadcrumbs_ties', sparse, equal, { gamma: 0.3 })],
];

describe('a merge of bf16 is the same, whichever blocks are decoded', () => {
  let root = '';

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-stored-'));
    const base = models[0]?.values;
    for (const { name, values } of models) {
      const own = name === 'base' ? values : values.map((value, i) => value + (base?.[i] ?? 0));
      const tensor = { dtype: 'BF16' as const, shape: SHAPE, bytes: encode('BF16', own) };
      // Some methods take an embedding by its rows.
      const tensors = new Map(['weight', 'model.embed_tokens.weight'].map((place) => [place, tensor]));
      writeCheckpoint(join(root, name), { request: { seed: 0 }, config: undefined, tensors });
      if (name !== 'base') continue;
      const coefficients = damCoefficients({ tensors }, ['a', 'b']);
      writeCoefficients(join(root, 'coefficients'), coefficients, { models: ['a', 'b'] });
    }
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each(cases)('%s', async (name, text) => {
    const merged = async (report: 'none' | 'sampled' | 'full', chunkBytes: number): Promise<string> => {
      const directory = join(root, `${name} ${report}`);
      await merge({
        recipe: text,
        directory,
        cwd: root,
        plan: { seed: 7, report },
        execute: { threads: 2, chunkBytes },
      });
      return readFileSync(join(directory, 'model.safetensors')).toString('base64');
    };
    const decoded = await merged('full', 1 << 20);
    expect(await merged('none', 1 << 20)).toBe(decoded);
    expect(await merged('sampled', 65_536)).toBe(decoded);
  });
});
