import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MergeThreads } from '../../src/engine/index.js';
import { merge } from '../support/merge.js';

const samples = resolve(import.meta.dirname, '../../samples');
const root = mkdtempSync(join(tmpdir(), 'amalgam-threads-'));
afterAll(() => rmSync(root, { recursive: true }));

test('threads that were made before planning serve the first merge, and as many new ones the next', async () => {
  const threads = new MergeThreads(2);
  const recipe = 'merge_method: linear\nmodels:\n- model: base\n- model: reverse\nparameters: { weight: 0.5 }\n';
  const run = async (name: string): Promise<string | undefined> => {
    const directory = join(root, name);
    const { result } = await merge({ recipe, directory, cwd: samples, execute: { threads } });
    return result.shards[0]?.sha256;
  };
  expect(threads.areTaken).toBe(false);
  const first = await run('first');
  expect(threads.areTaken).toBe(true);
  expect(await run('second')).toBe(first);
});
