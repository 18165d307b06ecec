import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.js';
import { Garbage } from '../../src/merges/garbage.js';
import { BlobsService } from '../../src/models/blobs.service.js';
import { LocalDirectoryStore } from '../../src/storage/local-directory.js';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../support/embedded-database.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

let database: EmbeddedDatabase;
let store: LocalDirectoryStore;
let garbage: Garbage;

beforeAll(async () => {
  database = await openEmbeddedDatabase();
  store = new LocalDirectoryStore(database.directory);
  const { dataSource, directory } = database;
  const config = loadConfig({ AMALGAM_DATA_DIR: directory });
  garbage = new Garbage(dataSource, new BlobsService(dataSource, store), store, config);
}, 60_000);

afterAll(() => database.close());

/** A merge with one done shard, that ended `secondsAgo`, and objects of two attempts. */
async function endedMerge(state: string, secondsAgo: number, code = 'worker_lost'): Promise<string> {
  const id = randomUUID();
  await database.dataSource.query(
    `insert into merges (id, state, output_namespace, output_name, recipe, pinned_recipe, seed, shard_bytes, labels, device,
                         plan, plan_digest, summary, created_by, attempt, failure, finished_at)
     values ($1, $2, 'team', 'x', '{}', '{}', 0, 65536, '{}', 'auto', '{}', $3, '{}', 'test', 1, $5,
             now() - $4::int * interval '1 second')`,
    [id, state, 'd'.repeat(64), secondsAgo, JSON.stringify({ code })],
  );
  await database.dataSource.query(
    `insert into merge_shards (merge_id, index, file_name, planned_bytes, state, attempt, sha256, bytes, object_key)
     values ($1, 0, 'a', 1, 'done', 2, $2, 1, $3)`,
    [id, 'a'.repeat(64), `merges/${id}/shard-0-2`],
  );
  for (const name of ['shard-0-1', 'shard-0-2', 'final-1/README.md'])
    await store.put(`merges/${id}/${name}`, Buffer.from(name));
  return id;
}

async function keysOf(id: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`merges/${id}/`)) keys.push(key.slice(`merges/${id}/`.length));
  return keys;
}

async function shardOf(id: string): Promise<unknown> {
  const [row] = await database.dataSource.query<unknown[]>(
    'select state, attempt, object_key from merge_shards where merge_id = $1',
    [id],
  );
  return row;
}

test('what a cancelled or failed merge stored stays for a while, and goes then', async () => {
  const young = await endedMerge('cancelled', 500);
  const old = await endedMerge('cancelled', 700);
  const failed = await endedMerge('failed', 80_000);
  const oldFailed = await endedMerge('failed', 90_000);
  await garbage.collect();
  for (const id of [young, failed]) {
    expect(await keysOf(id)).toHaveLength(3);
    expect(await shardOf(id)).toMatchObject({ state: 'done' });
  }
  for (const id of [old, oldFailed]) {
    expect(await keysOf(id)).toEqual([]);
    // A retry begins anew, and its attempts go on counting.
    expect(await shardOf(id)).toEqual({ state: 'pending', attempt: 2, object_key: null });
  }
});

test('when the disk is full, at once', async () => {
  const id = await endedMerge('failed', 1, 'storage_full');
  await garbage.collect();
  expect(await keysOf(id)).toEqual([]);
});

test('an object that became a blob stays', async () => {
  const id = await endedMerge('cancelled', 700);
  const sha256 = createHash('sha256').update(id).digest('hex');
  await database.dataSource.query('insert into blobs (sha256, bytes, object_key) values ($1, 9, $2)', [
    sha256,
    `merges/${id}/shard-0-2`,
  ]);
  await garbage.collect();
  expect(await keysOf(id)).toEqual(['shard-0-2']);
});

test('what a retry stores meanwhile stays', async () => {
  const id = await endedMerge('cancelled', 700);
  await store.put(`merges/${id}/shard-0-3`, Buffer.from('new'));
  await garbage.collect();
  expect(await keysOf(id)).toEqual(['shard-0-3']);
});

test('scratch of a dead process goes', async () => {
  await mkdir(join(database.directory, 'scratch', 'x-0-1'), { recursive: true });
  await writeFile(join(database.directory, 'scratch', 'x-0-1', 'model.safetensors.partial'), 'half');
  await garbage.clearScratch();
  expect(await readdir(database.directory)).not.toContain('scratch');
});
