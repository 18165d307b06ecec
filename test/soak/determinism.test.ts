import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHUNKS, MergeFolder, outcomesUnder, planOf, type PlannedMerge, THREADS } from '../support/determinism.js';
import { describeWith } from '../support/environment.js';
import { generatedCase } from '../support/mergekit.js';
import { writeModelSets } from '../support/model-sets.js';
import { installNewestNode } from '../support/newest-node.js';
import { sharedPath } from '../support/shared.js';

jest.setTimeout(600_000);

interface GoldenCase {
  name: string;
  recipe: string;
  error?: string;
}

const GENERATED = 200;
/** Several shards even of tiny models. */
const shardBytes = 20_000;
const ways = THREADS.flatMap((threads) => CHUNKS.map((chunkBytes) => ({ threads, chunkBytes })));

const parity = sharedPath('parity');
const golden =
  parity === undefined
    ? []
    : (JSON.parse(readFileSync(join(parity, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] }).cases.filter(
        ({ error }) => error === undefined,
      );
const names = [...golden.map(({ name }) => name), ...Array.from({ length: GENERATED }, (_item, i) => `generated ${i}`)];

describeWith(['soak'], 'The same bytes, however a merge is carried out', () => {
  let root = '';
  let folder: MergeFolder;
  const merges = new Map<string, PlannedMerge>();
  const find = (name: string): PlannedMerge => {
    const merge = merges.get(name);
    if (merge === undefined) throw new Error(`there is no plan of ${name}`);
    return merge;
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-determinism-'));
    folder = new MergeFolder(join(root, 'merges'));
    for (const { name, recipe } of golden) merges.set(name, await planOf(recipe, parity ?? '', { shardBytes }));
    const sets = writeModelSets(root, { odd: true });
    for (let i = 0; i < GENERATED; i++) {
      merges.set(`generated ${i}`, await planOf(generatedCase(5000 + i, sets).yaml, root, { shardBytes }));
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(names.map((name, i) => [name, i] as const))('%s', async (name, i) => {
    const merge = find(name);
    const first = await folder.run(merge, { threads: 1, chunkBytes: 1024 * 1024 });
    const before = ways[i % ways.length] ?? { threads: 1, chunkBytes: 1 };
    const killed = await folder.killed(merge, before, i % 2 === 0 ? 'shard' : 'tensor');
    for (const way of ways) {
      const { outcome } = await folder.run(merge, way);
      expect({ ...way, ...outcome }).toEqual({ ...way, ...first.outcome });
      const after = await folder.run(merge, way, folder.copy(killed));
      expect({ ...way, sha256: after.outcome.sha256 }).toEqual({ ...way, sha256: first.outcome.sha256 });
      expect(first.outcome.statistics).toMatchObject(after.outcome.statistics);
    }
    rmSync(killed, { recursive: true });
  });

  it('under this Node and the newest', async () => {
    const all = [...merges.values()];
    const directory = join(root, 'node');
    mkdirSync(directory);
    const [here, newest] = [
      await outcomesUnder(process.execPath, all, root),
      await outcomesUnder(installNewestNode(directory), all, root),
    ];
    expect(here).toHaveLength(names.length);
    expect(newest).toEqual(here);
  });
});
