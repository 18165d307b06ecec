import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import { startCommand } from '../support/command.js';
import { tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { describeWith } from '../support/environment.js';
import { merge } from '../support/merge.js';
import { type WrittenModelSet, writeModelSets } from '../support/model-sets.js';
import { Oracle } from '../support/oracle.js';

interface Loaded {
  tensors: Record<string, { file: string; dtype: string; shape: number[]; finite: boolean }>;
  model: {
    modelType: string;
    layers: number;
    dtype: string;
    parameters: number;
    missing: string[];
    unexpected: string[];
    finiteLogits: boolean;
  };
}

const samples = resolve(import.meta.dirname, '../../samples');

/** Merges of the sample models: recipe, and what transformers should find. */
const recipes = {
  linear: {
    recipe: {
      merge_method: 'linear',
      models: ['reverse', 'sort'].map((model) => ({ model, parameters: { weight: 1 } })),
    },
    expected: { layers: 4, dtype: 'bfloat16', parameters: 449_376 },
  },
  'slerp in float32': {
    recipe: {
      merge_method: 'slerp',
      base_model: 'reverse',
      models: [{ model: 'sort' }],
      parameters: { t: 0.5 },
      dtype: 'float32',
    },
    expected: { layers: 4, dtype: 'float32', parameters: 449_376 },
  },
  'ties to float16': {
    recipe: {
      merge_method: 'ties',
      base_model: 'base',
      models: ['reverse', 'sort', 'light'].map((model) => ({ model, parameters: { weight: 1, density: 0.6 } })),
      out_dtype: 'float16',
    },
    expected: { layers: 4, dtype: 'float16', parameters: 449_376 },
  },
  'passthrough of more layers': {
    recipe: {
      merge_method: 'passthrough',
      slices: [
        { sources: [{ model: 'reverse', layer_range: [0, 3] }] },
        { sources: [{ model: 'sort', layer_range: [1, 4] }] },
      ],
    },
    expected: { layers: 6, dtype: 'bfloat16', parameters: 449_376 + 2 * 110_784 },
  },
};

describeWith(['python'], 'merged models, read by safetensors and transformers', () => {
  let root = '';
  let sets: WrittenModelSet[] = [];
  let oracle: Oracle;
  const load = (directory: string): Promise<Loaded> => oracle.ask<Loaded>({ directory });

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-loads-'));
    sets = writeModelSets(root);
    oracle = await Oracle.start('safetensors_check.py');
  }, 120_000);
  afterAll(async () => {
    await oracle.close();
    rmSync(root, { recursive: true });
  });

  it.each(Object.entries(recipes))(
    'the samples, merged by %s',
    async (name, { recipe, expected }) => {
      const directory = join(root, name);
      await merge({ recipe: dump(recipe), directory, cwd: samples, plan: { shardBytes: 300_000 } });
      const { tensors, model } = await load(directory);
      expect(model).toEqual({ modelType: 'llama', missing: [], unexpected: [], finiteLogits: true, ...expected });
      const found = Object.values(tensors);
      expect(new Set(found.map(({ file }) => file)).size).toBeGreaterThan(1);
      expect(found.filter(({ finite, dtype }) => !finite || dtype !== expected.dtype)).toEqual([]);
    },
    60_000,
  );

  it('what the demonstration leaves behind', async () => {
    const data = join(root, 'demonstration');
    const { status } = await startCommand(['--once', '--data', data], { program: 'demo' }).result;
    expect(status).toBe(0);
    for (const name of ['linear', 'ties', 'slerp']) {
      const { model } = await load(join(data, 'models', name));
      expect(model).toEqual({
        modelType: 'llama',
        layers: 4,
        dtype: 'bfloat16',
        parameters: 449_376,
        missing: [],
        unexpected: [],
        finiteLogits: true,
      });
    }
  }, 60_000);
  it.each(['llama', 'qwen2-windowed', 'gemma2', 'gpt2'] as const)(
    'a deeper stack of %s',
    async (family) => {
      const directory = join(root, `stack ${family}`);
      const tied = family === 'gpt2' || family === 'gemma2';
      writeCheckpoint(join(root, family, 'a'), tinyCheckpoint({ seed: 1, family, tied }));
      writeCheckpoint(join(root, family, 'b'), tinyCheckpoint({ seed: 2, family, tied }));
      const slices = [
        { sources: [{ model: `${family}/a`, layer_range: [0, 2] }] },
        { sources: [{ model: `${family}/b`, layer_range: [0, 3] }] },
      ];
      await merge({ recipe: dump({ merge_method: 'passthrough', slices }), directory, cwd: root });
      const { model } = await load(directory);
      expect(model).toMatchObject({ layers: 5, missing: [], unexpected: [], finiteLogits: true });
      const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { layer_types?: string[] };
      const [s, f] = ['sliding_attention', 'full_attention'];
      if (config.layer_types !== undefined) expect(config.layer_types).toEqual([s, f, s, f, s]);
    },
    60_000,
  );

  it('every family that the tests know, merged whole', async () => {
    for (const { name, base, experts } of sets) {
      const directory = join(root, `whole ${name}`);
      const models = [base, ...experts].map((model) => ({ model, parameters: { weight: 0.25 } }));
      await merge({ recipe: dump({ merge_method: 'linear', models, dtype: 'float32' }), directory, cwd: root });
      const { model, tensors } = await load(directory);
      expect({ name, ...model }).toMatchObject({
        name,
        missing: [],
        unexpected: [],
        finiteLogits: true,
        dtype: 'float32',
      });
      expect(Object.values(tensors).filter(({ finite }) => !finite)).toEqual([]);
    }
  }, 120_000);
});
