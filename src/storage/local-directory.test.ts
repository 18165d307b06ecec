import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeObjectStore } from '../../test/support/object-store.conformance.js';
import { LocalDirectoryStore } from './local-directory.js';

describeObjectStore('LocalDirectoryStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  return { store: new LocalDirectoryStore(directory), end: () => rm(directory, { recursive: true }) };
});

describe('LocalDirectoryStore on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'store-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('completes an upload that another process began', async () => {
    const before = new LocalDirectoryStore(directory);
    const upload = await before.beginUpload('a/b');
    const first = { number: 1, tag: await before.putPart('a/b', upload, 1, Buffer.from('one ')) };
    const after = new LocalDirectoryStore(directory);
    const second = { number: 2, tag: await after.putPart('a/b', upload, 2, Buffer.from('two')) };
    await after.completeUpload('a/b', upload, [first, second]);
    expect(Buffer.concat(await (await after.read('a/b')).toArray()).toString()).toBe('one two');
  });

  test('leaves no files behind', async () => {
    const store = new LocalDirectoryStore(directory);
    const upload = await store.beginUpload('a/b');
    const tag = await store.putPart('a/b', upload, 1, Buffer.from('x'));
    await store.completeUpload('a/b', upload, [{ number: 1, tag }]);
    await store.abortUpload('a/c', await store.beginUpload('a/c'));
    await store.put('a/d', Buffer.from('y'));
    await store.check();
    expect(await readdir(join(directory, 'staging'))).toEqual([]);
  });

  test('forgets what a killed process was writing, by the last write and not by the first', async () => {
    const store = new LocalDirectoryStore(directory);
    const staging = join(directory, 'staging');
    const [old, young] = [await store.beginUpload('a/b'), await store.beginUpload('a/c')];
    await store.putPart('a/c', young, 1, Buffer.from('x'));
    await writeFile(join(staging, 'half-a-put'), 'x');
    const longAgo = new Date(Date.now() - 7_200_000);
    for (const name of [old, young, 'half-a-put']) await utimes(join(staging, name), longAgo, longAgo);
    await store.forgetUploads(new Date(Date.now() - 3_600_000));
    expect(await readdir(staging)).toEqual([young]);
  });

  test('does not copy parts that came in order', async () => {
    const store = new LocalDirectoryStore(directory);
    const upload = await store.beginUpload('a/b');
    const parts = [];
    for (const number of [1, 2, 3])
      parts.push({ number, tag: await store.putPart('a/b', upload, number, Buffer.alloc(9)) });
    const staged = await stat(join(directory, 'staging', upload, 'parts'));
    await store.completeUpload('a/b', upload, parts);
    expect((await stat(store.localPath('a/b'))).ino).toBe(staged.ino);
  });

  test('says that its folder cannot be used', async () => {
    const store = new LocalDirectoryStore(join('/dev/null', 'x'));
    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});
