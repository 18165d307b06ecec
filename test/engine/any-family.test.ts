import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import { type TinyCheckpoint, TINY, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { families, type FamilyName } from '../support/families.js';
import { merge } from '../support/merge.js';
import { precisionOf } from '../support/precision.js';
import { Random } from '../support/random.js';
import { drawnMethods } from '../support/drawn-methods.js';
import { generateRecipe } from '../support/recipe-draw.js';
import type { ModelSet } from '../support/recipes.js';
import { referenceMerge } from '../support/reference-merge.js';
import { readModel } from '../support/safetensors.js';

// Tensors are taken from the checkpoints, whatever their names: biases, scalars and matrices of rank 3 are merged too.

const names = Object.keys(families) as FamilyName[];

describe.each(names)('a model of family %s', (family) => {
  let root = '';
  const models = new Map<string, TinyCheckpoint['tensors']>();
  const set: ModelSet = {
    base: 'base',
    experts: ['a', 'b', 'c'],
    layers: family === 'unknown' ? 0 : TINY.layers,
    stackable: family !== 'unknown',
    narrow: false,
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-family-'));
    const base = tinyCheckpoint({ seed: 1, family });
    const write = (name: string, checkpoint: TinyCheckpoint, shards: number): void => {
      writeCheckpoint(join(root, name), checkpoint, shards);
      models.set(name, checkpoint.tensors);
    };
    write('base', base, 2);
    set.experts.forEach((name, k) => {
      write(name, tinyCheckpoint({ seed: 2 + k, family, parent: base }), k + 1);
    });
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each(drawnMethods)('is merged by %s, tensor for tensor', async (method) => {
    for (const seed of [1 + names.indexOf(family)]) {
      const recipe = generateRecipe(new Random(seed), method, set);
      const directory = join(root, `${method}-${seed}`);
      await merge({ recipe: dump(recipe), directory, cwd: root, plan: { shardBytes: 20_000 } });
      const ours = readModel(directory);
      const expected = referenceMerge(recipe, models, set.layers);
      expect([...ours.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [name, exact] of expected) {
        const tensor = ours.get(name);
        if (tensor === undefined) throw new Error(`${name} is missing`);
        const { dtype, shape } = tensor;
        expect({ name, dtype, shape }).toEqual({ name, dtype: exact.dtype, shape: exact.shape });
        const { worst } = precisionOf(tensor, exact);
        if (worst > 1) throw new Error(`${name} is off by ${worst.toFixed(2)} times the bound\n\n${dump(recipe)}`);
      }
    }
  });
});
