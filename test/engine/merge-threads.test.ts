import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MergeThreads } from '../../src/engine/index.js';
import { merge } from '../support/merge.js';

const samples = resolve(import.meta.dirname, '../../samples');
const root = mkdtempSync(join(tmpdir(), 'amalgam-threads-'));
afterAll(() => rmSync(root, { recursive: true }));

const half = 'merge_method: linear\nmodels:\n- model: base\n- model: reverse\nparameters: { weight: 0.5 }\n';
const elected = half.replace('linear', 'ties').replace('models:', 'base_model: light\nmodels:');

async function run(recipe: string, threads: MergeThreads | number, signal?: AbortSignal): Promise<string | undefined> {
  const directory = mkdtempSync(join(root, 'merge-'));
  const { result } = await merge({ recipe, directory, cwd: samples, execute: { threads, ...(signal && { signal }) } });
  return result.shards[0]?.sha256;
}

test('threads serve one merge after the other, whatever the one before it was', async () => {
  const threads = new MergeThreads(2).start();
  const first = threads.merging.take();
  threads.merging.giveBack(first);
  expect(await run(half, threads)).toBe(await run(half, 1));
  expect(await run(elected, threads)).toBe(await run(elected, 1));
  expect(await run(half, threads)).toBe(await run(half, 1));
  const idle = [threads.merging.take(), threads.merging.take()];
  expect(idle).toContain(first);
  for (const worker of idle) threads.merging.giveBack(worker);
  await threads.end();
});

test('merges at the same time have threads of their own', async () => {
  const threads = new MergeThreads(1);
  const digests = await Promise.all([run(half, threads), run(elected, threads), run(half, threads)]);
  expect(digests).toEqual([await run(half, 1), await run(elected, 1), await run(half, 1)]);
  await threads.end();
});

test('a merge that was cancelled leaves nothing to the next one', async () => {
  const threads = new MergeThreads(2);
  await expect(run(half, threads, AbortSignal.abort())).rejects.toMatchObject({ code: 'merge_cancelled' });
  expect(await run(half, threads)).toBe(await run(half, 1));
  await threads.end();
});
