import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import { TINY, tinyCheckpoint, writeCheckpoint, type TinyCheckpoint } from '../support/checkpoints.js';
import { merge } from '../support/merge.js';
import { precisionOf } from '../support/precision.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';
import { referenceMerge } from '../support/reference-merge.js';
import { readModel } from '../support/safetensors.js';

// A tied model stores one matrix for two places; beside an untied one it has a head like any other.

let root = '';
const models = new Map<string, TinyCheckpoint['tensors']>();

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-tied-'));
  for (const [seed, name] of ['untied', 'tied', 'tied too'].entries()) {
    const checkpoint = tinyCheckpoint({ seed, tied: name !== 'untied' });
    writeCheckpoint(join(root, name), checkpoint);
    models.set(name, checkpoint.tensors);
  }
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

async function check(name: string, recipe: WrittenRecipe): Promise<Record<string, unknown>> {
  const directory = join(root, `out ${name}`);
  const { plan } = await merge({ recipe: dump(recipe), directory, cwd: root });
  const ours = readModel(directory);
  const expected = referenceMerge(recipe, models, TINY.layers);
  expect([...ours.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [tensor, exact] of expected) {
    const stored = ours.get(tensor);
    const worst = stored === undefined ? Infinity : precisionOf(stored, exact).worst;
    expect({ tensor, isExact: worst <= 1 }).toEqual({ tensor, isExact: true });
  }
  return plan.config;
}

function linear(parameters: Record<string, WrittenParameters>): WrittenRecipe {
  const listed = Object.entries(parameters).map(([model, own]) => ({ model, parameters: own }));
  return { merge_method: 'linear', models: listed };
}

it('tied models alone stay tied: no head is written', async () => {
  const config = await check('tied', linear({ tied: { weight: 0.3 }, 'tied too': { weight: 0.7 } }));
  expect(config).toMatchObject({ tie_word_embeddings: true });
});

it('an untied model beside a tied base unties the result', async () => {
  const config = await check('mixed', linear({ tied: { weight: 0.3 }, untied: { weight: 0.7 } }));
  expect(config).toMatchObject({ tie_word_embeddings: false });
});

it.each(['lm_head', 'embed', 'embed_tokens'])(
  'a filter on %s means the place, not where a tied model stores it',
  async (filter) => {
    const own: WrittenParameters = { weight: [{ filter, value: 0.9 }, { value: 0.2 }] };
    await check(`filter ${filter}`, linear({ untied: { weight: 0.5 }, tied: own }));
  },
);
