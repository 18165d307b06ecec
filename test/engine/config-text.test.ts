import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { text, zeroCheckpoint } from '../support/checkpoint-bytes.js';
import { merge } from '../support/merge.js';

const cwd = mkdtempSync(join(tmpdir(), 'amalgam-config-'));
afterAll(() => rmSync(cwd, { recursive: true }));

const config = `{
  "architectures": [
    "Gemma2ForCausalLM"
  ],
  "dtype": "float32",
  "final_logit_softcapping": 30.0,
  "model_type": "gemma2",
  "rms_norm_eps": 1e-06,
  "time_step_limit": [
    0.0,
    Infinity
  ]
}
`;

function model(name: string, configText: string): string {
  const weights = zeroCheckpoint([{ name: 'model.norm.weight', dtype: 'F32', shape: [4] }]);
  mkdirSync(join(cwd, name));
  for (const [path, bytes] of Object.entries({ ...weights, 'config.json': text(configText) })) {
    writeFileSync(join(cwd, name, path), bytes);
  }
  return name;
}

async function mergedConfig(out: string, recipe: object): Promise<string> {
  const directory = join(cwd, out);
  await merge({ cwd, directory, recipe: JSON.stringify(recipe) });
  return readFileSync(join(directory, 'config.json'), 'utf8');
}

test("the result's config.json is the base's, letter for letter but for what the merge changes", async () => {
  const models = ['a', 'b'].map((name) => ({ model: model(name, config), parameters: { weight: 0.5 } }));
  expect(await mergedConfig('same', { merge_method: 'linear', models })).toBe(config);
  expect(await mergedConfig('half', { merge_method: 'linear', models, dtype: 'bfloat16' })).toBe(
    config.replace('float32', 'bfloat16'),
  );
});
