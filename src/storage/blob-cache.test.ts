import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Blob, BlobCache } from './blob-cache.js';
import { LocalDirectoryStore } from './local-directory.js';
import type { ObjectStore } from './object-store.js';

/** Local files that do not show where they are, as a server far away; it counts what is read. */
function farFrom(near: LocalDirectoryStore): { store: ObjectStore; reads: () => number } {
  let reads = 0;
  const far: ObjectStore = Object.create(near, {
    localPath: { value: () => undefined },
    read: {
      value: (key: string) => {
        reads += 1;
        return near.read(key);
      },
    },
  }) as ObjectStore;
  return { store: far, reads: () => reads };
}

let directory: string;
let store: LocalDirectoryStore;
let far: ReturnType<typeof farFrom>;
let cache: BlobCache;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cache-'));
  store = new LocalDirectoryStore(join(directory, 'store'));
  far = farFrom(store);
  cache = new BlobCache(far.store, join(directory, 'cache'), 2500);
});
afterEach(() => rm(directory, { recursive: true }));

async function blobOf(bytes = randomBytes(1000)): Promise<Blob & { content: Buffer }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const objectKey = `blobs/${sha256}`;
  await store.put(objectKey, bytes);
  return { sha256, bytes: bytes.length, objectKey, content: bytes };
}
const copies = async () => (await readdir(join(directory, 'cache'))).filter((name) => name !== 'held');

test('fetches a blob once, also when many ask at once', async () => {
  const blob = await blobOf();
  const held = await Promise.all(Array.from({ length: 10 }, () => cache.acquire(blob)));
  for (const { path } of held) expect((await readFile(path)).equals(blob.content)).toBe(true);
  expect(far.reads()).toBe(1);
  await Promise.all(held.map((each) => each.release()));
  await (await cache.acquire(blob)).release();
  expect(far.reads()).toBe(1);
  expect(await readdir(join(directory, 'cache', 'held'))).toEqual([]);
});

test.each(['flipped', 'longer', 'shorter'])('refuses a stored blob whose bytes are %s', async (how) => {
  const blob = await blobOf();
  const wrong = Buffer.from(blob.content);
  wrong[500] = (wrong[500] ?? 0) ^ 1;
  const bytes = how === 'longer' ? Buffer.concat([blob.content, wrong]) : how === 'shorter' ? wrong.subarray(1) : wrong;
  await store.put(blob.objectKey, bytes);
  const code = how === 'flipped' ? 'digest_mismatch' : 'size_mismatch';
  await expect(cache.acquire(blob)).rejects.toMatchObject({ code });
  await expect(new BlobCache(store, directory, 1).acquire(blob)).rejects.toMatchObject({ code });
  expect(await copies()).toEqual([]);
  expect(await readdir(join(directory, 'cache', 'held'))).toEqual([]);
});

test('fetches a copy again that was changed on disk', async () => {
  const blob = await blobOf();
  await (await cache.acquire(blob)).release();
  const copy = join(directory, 'cache', blob.sha256);
  const wrong = Buffer.from(blob.content);
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  await writeFile(copy, wrong);
  await utimes(copy, 1, 1);
  const held = await cache.acquire(blob);
  expect((await readFile(held.path)).equals(blob.content)).toBe(true);
  expect(far.reads()).toBe(2);
});

test('checks what another process left before it trusts it', async () => {
  const blob = await blobOf();
  await (await cache.acquire(blob)).release();
  await writeFile(join(directory, 'cache', blob.sha256), randomBytes(1000));
  const held = await new BlobCache(far.store, join(directory, 'cache'), 2500).acquire(blob);
  expect((await readFile(held.path)).equals(blob.content)).toBe(true);
});

test('leaves a held copy as it is, to the last bit of its time, when another process uses it too', async () => {
  const blob = await blobOf();
  const held = await cache.acquire(blob);
  const before = await stat(held.path);
  const other = new BlobCache(far.store, join(directory, 'cache'), 2500);
  await (await other.acquire(blob)).release();
  await (await cache.acquire(blob)).release();
  expect((await stat(held.path)).mtimeMs).toBe(before.mtimeMs);
});

test('keeps within its bound, the least recently used going first, and nothing in use is lost', async () => {
  const [first, second, third] = [await blobOf(), await blobOf(), await blobOf()];
  const held = await cache.acquire(first);
  await (await cache.acquire(second)).release();
  await utimes(join(directory, 'cache', first.sha256), 1, 1);
  await (await cache.acquire(third)).release();
  expect((await copies()).sort()).toEqual([second.sha256, third.sha256].sort());
  expect((await readFile(held.path)).equals(first.content)).toBe(true);
});

test('takes a blob larger than its bound all the same', async () => {
  const blob = await blobOf(randomBytes(5000));
  const held = await cache.acquire(blob);
  expect((await stat(held.path)).size).toBe(5000);
});

test('gives out the object itself where the store keeps local files', async () => {
  const blob = await blobOf();
  const held = await new BlobCache(store, join(directory, 'cache'), 1).acquire(blob);
  expect(held.path).toBe(store.localPath(blob.objectKey));
  await held.release();
  expect(await store.head(blob.objectKey)).toMatchObject({ bytes: 1000 });
});

test('says that a blob is not in the store', async () => {
  const blob = { ...(await blobOf()), objectKey: 'blobs/none' };
  await expect(cache.acquire(blob)).rejects.toMatchObject({ code: 'object_not_found' });
  await expect(new BlobCache(store, directory, 1).acquire(blob)).rejects.toMatchObject({ code: 'object_not_found' });
});
