import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { execute, type MergePlan } from '../../src/engine/index.js';
import { SMALL, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { planOf } from '../support/determinism.js';

/** A merge that waited through an upgrade would mix the bytes of two engines, under a digest that promises one. */
test('a plan of another engine is not carried out', async () => {
  const root = mkdtempSync(join(tmpdir(), 'amalgam-outdated-'));
  const directory = join(root, 'out');
  writeCheckpoint(join(root, 'a'), tinyCheckpoint({ seed: 1, sizes: SMALL }), 1);
  const { plan } = await planOf('merge_method: passthrough\nmodels: [{ model: a }]\n', root);
  const outdated: MergePlan = { ...plan, engine: plan.engine - 1 };
  const merging = execute(outdated, { directory, threads: 1, locate: (_input, file) => join(root, 'a', file) });
  await expect(merging).rejects.toMatchObject({ code: 'plan_outdated' });
  expect(readdirSync(root)).toEqual(['a']);
  rmSync(root, { recursive: true });
});
