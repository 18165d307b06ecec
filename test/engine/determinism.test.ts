import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESIDENT_BYTES } from '../../src/engine/execution/task-list.js';
import { modelReferences, parseRecipe } from '../../src/recipe/index.js';
import { SMALL, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { damCoefficients, writeCoefficients } from '../support/coefficients.js';
import { coveringRows } from '../support/covering.js';
import {
  CHUNKS,
  MergeFolder,
  planOf,
  type PlannedMerge,
  type Recorder,
  THREADS,
  type Way,
} from '../support/determinism.js';
import { writeFolder } from '../support/folder.js';
import { methodRecipes } from '../support/method-recipes.js';
import { executableMethods } from '../support/recipes.js';
import { readModel } from '../support/safetensors.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(120_000);

/** Of each model, by how many there are: together they do not stay in memory between passes, and are cut into ranges. */
const layerBytes = { 2: 26_000_000, 3: 17_500_000 };
/** In a shard of its own: what was interrupted has finished it, or not even that. */
const firstLayerBytes = 1_000_000;

const recipes = Object.keys(methodRecipes);

let root: string;
let folder: MergeFolder;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-determinism-'));
  folder = new MergeFolder(join(root, 'merges'));
  ['base', 'a', 'b'].forEach((name, k) => {
    for (const [models, bytes] of Object.entries(layerBytes)) {
      const model = syntheticModel({ layers: 2, layerBytes: bytes, firstLayerBytes, seed: k + 1 });
      writeFolder(join(root, `of ${models}`, name), model);
    }
    writeCheckpoint(join(root, 'small', name), tinyCheckpoint({ seed: k + 1, sizes: SMALL, dtype: 'BF16' }), k + 1);
  });
  for (const size of ['small', ...Object.keys(layerBytes).map((models) => `of ${models}`)]) {
    const coefficients = damCoefficients({ tensors: readModel(join(root, size, 'base')) }, ['a', 'b']);
    writeCoefficients(join(root, size, 'coefficients'), coefficients, { models: ['a', 'b'] });
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('is tried with every method', () => {
  for (const method of executableMethods.filter((name) => name !== 'passthrough')) {
    expect(recipes.some((recipe) => recipe.split(' ')[0] === method)).toBe(true);
  }
});

describe('a merge of small tensors', () => {
  const all = THREADS.flatMap((threads) => CHUNKS.map((chunkBytes) => ({ threads, chunkBytes })));

  it.each(recipes.map((recipe, i) => [recipe, i] as const))(
    'by %s is the same for any threads and chunks',
    async (recipe, i) => {
      const merge = await planOf(methodRecipes[recipe] ?? '', join(root, 'small'));
      const first = await folder.run(merge, { threads: 1, chunkBytes: 1024 * 1024 });
      expect(Object.keys(first.outcome.statistics)).toHaveLength(merge.plan.shards.flatMap((s) => s.tensors).length);
      for (const way of [all[(2 * i + 1) % all.length], all[(2 * i + 4) % all.length]]) {
        const { threads = 1, chunkBytes = 1 } = way ?? {};
        const { outcome } = await folder.run(merge, { threads, chunkBytes });
        expect({ ...way, ...outcome }).toEqual({ ...way, ...first.outcome });
      }
    },
  );
});

/** Each recipe with each number of threads, chunk and end; and these with each other, over all recipes. */
const rows = coveringRows({
  recipe: recipes,
  end: ['whole', 'cancelled', 'killed', 'killed inside'],
  threads: THREADS,
  chunkBytes: CHUNKS,
});

describe('a merge of tensors that are cut into ranges', () => {
  it.each(Object.entries(layerBytes))('does not find those of %s models in memory', (models, bytes) => {
    expect(Number(models) * bytes).toBeGreaterThan(RESIDENT_BYTES);
  });

  it.each(recipes)('by %s is the same for any threads and chunks, and however it was interrupted', async (recipe) => {
    const text = methodRecipes[recipe] ?? '';
    const models = modelReferences(parseRecipe(text).recipe).length;
    const shardBytes = models === 3 ? layerBytes[3] : layerBytes[2];
    const merge = await planOf(text, join(root, `of ${models}`), { shardBytes });
    const first = await folder.run(merge, { threads: 1, chunkBytes: 1024 * 1024 });
    const [shard = ''] = Object.keys(first.outcome.sha256);
    for (const { end, threads, chunkBytes } of rows.filter((row) => row.recipe === recipe)) {
      const way = { threads, chunkBytes };
      const { directory, before } = end === 'whole' ? {} : await interrupt(merge, end, otherThan(way));
      const { outcome, resumed } = await folder.run(merge, way, directory);
      expect({ end, ...way, sha256: outcome.sha256 }).toEqual({ end, ...way, sha256: first.outcome.sha256 });
      expect({ ...first.outcome.statistics, ...outcome.statistics }).toEqual(first.outcome.statistics);
      expect({ ...first.outcome.reports, ...outcome.reports }).toEqual(first.outcome.reports);
      if (before !== undefined) expect(first.outcome.statistics).toMatchObject(before.outcome.statistics);
      expect(resumed).toEqual(end === 'cancelled' || end === 'killed' ? [shard] : []);
    }
  });
});

async function interrupt(
  merge: PlannedMerge,
  end: string,
  way: Way,
): Promise<{ directory: string; before?: Recorder }> {
  if (end === 'cancelled') return folder.cancelled(merge, way);
  return { directory: await folder.killed(merge, way, end === 'killed' ? 'shard' : 'tensor') };
}

/** What comes before an interruption is done in another way than what comes after it. */
function otherThan({ threads, chunkBytes }: Way): Way {
  return { threads: threads === 2 ? 3 : 2, chunkBytes: chunkBytes === CHUNKS[0] ? CHUNKS[2] : CHUNKS[0] };
}
