import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methodNames } from '../../src/recipe/index.js';
import { differences } from '../support/compare.js';
import { merge } from '../support/merge.js';
import { executableMethods } from '../support/recipes.js';
import { readModel, readSafetensors } from '../support/safetensors.js';
import { describeWithShared } from '../support/shared.js';

interface GoldenCase {
  name: string;
  method: string;
  recipe: string;
  file?: string;
  error?: string;
}

/** Not in the set: what differs from a method that is, other tests show. */
const ABSENT = /^(breadcrumbs_ties|magmax)$/;
/** Its randomness is PyTorch's: nobody else draws the same masks. */
const RANDOM = /^(dare|della)/;
/** The first so many are MergeKit's. */
const MERGEKIT_METHODS = 20;
const METHODS = executableMethods.filter((method) => !RANDOM.test(method));

describeWithShared('parity', 'golden outputs of MergeKit 0.1.5 (shared/parity)', (parity) => {
  const manifest = JSON.parse(readFileSync(join(parity, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] };
  const cases = manifest.cases.filter(({ method }) => (METHODS as string[]).includes(method));
  let scratch = '';

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'amalgam-parity-'));
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  it('has cases of every method', () => {
    const known = METHODS.filter((method) => methodNames.indexOf(method) < MERGEKIT_METHODS);
    const present = known.filter((method) => !ABSENT.test(method));
    expect(new Set(cases.map(({ method }) => method))).toEqual(new Set(present));
  });

  describe.each(cases.filter(({ file }) => file !== undefined))('$name', ({ name, recipe, file = '' }) => {
    const directory = (): string => join(scratch, name);

    it('gives the same tensors, dtypes and values', async () => {
      await merge({ recipe, directory: directory(), cwd: parity });
      const golden = readSafetensors(join(parity, file));
      // Both sides round to 16 bits once, from f32 values that differ in their last bits.
      const ulps = recipe.includes('out_dtype') ? 1 : 0;
      expect(differences(readModel(directory()), golden, { relative: 2e-6, ulps })).toEqual([]);
    });

    it('has a config.json that describes them', () => {
      const config = JSON.parse(readFileSync(join(directory(), 'config.json'), 'utf8')) as Record<string, unknown>;
      const first = JSON.parse(readFileSync(join(parity, 'models/a/config.json'), 'utf8')) as object;
      const golden = [...readSafetensors(join(parity, file)).keys()];
      const layers = new Set(golden.flatMap((tensor) => /layers\.(\d+)\./.exec(tensor)?.[1] ?? []));
      const dtype = recipe.includes('out_dtype: bfloat16') ? 'bfloat16' : 'float32';
      expect(config).toEqual({ ...first, dtype, num_hidden_layers: layers.size });
    });
  });

  // docs/methods-mergekit-differences.md: a tensor that nobody changed stops MergeKit's multislerp.
  it.each(cases.filter(({ error, method }) => error !== undefined && method === 'multislerp'))(
    'merges $name, at which MergeKit stops',
    async (golden) => {
      await merge({ recipe: golden.recipe, directory: join(scratch, golden.name), cwd: parity });
      expect(readModel(join(scratch, golden.name)).size).toBeGreaterThan(0);
    },
  );

  const refused = cases.filter(({ error, method }) => error !== undefined && method !== 'multislerp');
  it.each(refused)('refuses $name, as MergeKit does', async (golden) => {
    const merged = merge({ recipe: golden.recipe, directory: join(scratch, golden.name), cwd: parity });
    await expect(merged).rejects.toMatchObject({ code: 'shape_mismatch' });
  });
});
