import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { digestObject, partBytes, writeObject } from '../../src/storage/content.js';
import type { ObjectStore, UploadedPart } from '../../src/storage/object-store.js';

const fiveMebibytes = 5 * 2 ** 20;

/** The behaviour that every object store shares. `open` gives an empty store and the way to end it. */
export function describeObjectStore(
  name: string,
  open: () => Promise<{ store: ObjectStore; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let store: ObjectStore;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ store, end } = await open());
    }, 60_000);
    afterAll(() => end());

    const bytesOf = async (key: string, range?: { offset?: number; length?: number }) =>
      Buffer.concat(await (await store.read(key, range)).toArray());
    const code = (expected: string) => expect.objectContaining({ name: 'StorageError', code: expected });
    const keys = async (prefix: string) => {
      const found: string[] = [];
      for await (const { key } of store.list(prefix)) found.push(key);
      return found;
    };
    const send = async (key: string, upload: string, parts: readonly [number, Buffer][]): Promise<UploadedPart[]> => {
      const sent: UploadedPart[] = [];
      for (const [number, bytes] of parts) sent.push({ number, tag: await store.putPart(key, upload, number, bytes) });
      return sent;
    };

    test('can be used', () => store.check());

    test('gives back what was put, and the newest of two', async () => {
      await store.put('put/one', Buffer.from('first'));
      await store.put('put/one', Buffer.from('second, longer'));
      expect(await store.head('put/one')).toEqual({ key: 'put/one', bytes: 14 });
      expect((await bytesOf('put/one')).toString()).toBe('second, longer');
      await store.put('put/empty', new Uint8Array(0));
      expect(await store.head('put/empty')).toEqual({ key: 'put/empty', bytes: 0 });
      expect(await bytesOf('put/empty')).toHaveLength(0);
    });

    test('reads ranges to the byte', async () => {
      const bytes = randomBytes(100_000);
      await store.put('range/object', bytes);
      expect(await bytesOf('range/object', { offset: 99_999 })).toEqual(bytes.subarray(99_999));
      expect(await bytesOf('range/object', { offset: 10, length: 70_000 })).toEqual(bytes.subarray(10, 70_010));
      expect(await bytesOf('range/object', { length: 1 })).toEqual(bytes.subarray(0, 1));
      expect(await bytesOf('range/object', { offset: 5, length: 0 })).toHaveLength(0);
      expect(await bytesOf('range/object', { offset: 100_000 })).toHaveLength(0);
    });

    test.each([
      { offset: 100_001 },
      { offset: 0, length: 100_001 },
      { offset: 99_999, length: 2 },
      { offset: -1 },
      { length: -1 },
      { offset: 0.5 },
    ])('refuses the range %p', async (range) => {
      await store.put('range/refused', new Uint8Array(100_000));
      await expect(store.read('range/refused', range)).rejects.toEqual(code('object_range_invalid'));
    });

    test('says that an object is not there', async () => {
      await expect(store.head('nothing/here')).rejects.toEqual(code('object_not_found'));
      await expect(store.read('nothing/here')).rejects.toEqual(code('object_not_found'));
      await store.delete('nothing/here');
    });

    test('forgets what is deleted', async () => {
      await store.put('gone/object', Buffer.from('x'));
      await store.delete('gone/object');
      await expect(store.head('gone/object')).rejects.toEqual(code('object_not_found'));
      expect(await keys('gone/')).toEqual([]);
    });

    test.each([
      '',
      '/',
      'a//b',
      '../escape',
      'a/../b',
      './a',
      'a/',
      '/a',
      '.hidden',
      'a b',
      'a\0',
      'ä',
      'a\\b',
      'x'.repeat(513),
    ])('refuses the key %j', async (key) => {
      await expect(store.put(key, new Uint8Array(1))).rejects.toEqual(code('object_key_invalid'));
      await expect(store.head(key)).rejects.toEqual(code('object_key_invalid'));
      await expect(store.read(key)).rejects.toEqual(code('object_key_invalid'));
      await expect(store.delete(key)).rejects.toEqual(code('object_key_invalid'));
      await expect(store.beginUpload(key)).rejects.toEqual(code('object_key_invalid'));
    });

    test('lists in order of keys, by prefix, over pages', async () => {
      const names = ['list/a', 'list/a-b', 'list/a.b', 'list/c/d', 'list/c/e/f', 'list/c0', 'list/z'];
      for (const key of [...names].reverse()) await store.put(key, Buffer.from(key));
      expect(await keys('list/')).toEqual(names);
      expect(await keys('list/c')).toEqual(['list/c/d', 'list/c/e/f', 'list/c0']);
      expect(await keys('list/c/')).toEqual(['list/c/d', 'list/c/e/f']);
      expect(await keys('list/none')).toEqual([]);
      const many = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
      for (let i = 0; i < many.length; i += 20) {
        await Promise.all(many.slice(i, i + 20).map((key) => store.put(key, Buffer.from('x'))));
      }
      expect(await keys('many/')).toEqual(many);
    }, 60_000);

    test('makes one object of its parts, and shows nothing before', async () => {
      const [one, two, three] = [randomBytes(fiveMebibytes), randomBytes(fiveMebibytes + 7), randomBytes(11)];
      const upload = await store.beginUpload('parts/object');
      const sent = await send('parts/object', upload, [
        [1, one],
        [2, two],
        [3, three],
      ]);
      await expect(store.head('parts/object')).rejects.toEqual(code('object_not_found'));
      expect(await keys('parts/')).toEqual([]);
      await store.completeUpload('parts/object', upload, sent);
      expect((await bytesOf('parts/object')).equals(Buffer.concat([one, two, three]))).toBe(true);
      const across = await bytesOf('parts/object', { offset: fiveMebibytes - 5, length: fiveMebibytes + 14 });
      expect(across.equals(Buffer.concat([one.subarray(-5), two, three.subarray(0, 2)]))).toBe(true);
    }, 30_000);

    test('puts parts in order and takes the last of one sent twice', async () => {
      const [one, two, wrong] = [randomBytes(fiveMebibytes), randomBytes(3), randomBytes(fiveMebibytes)];
      const upload = await store.beginUpload('parts/resent');
      const sent = await send('parts/resent', upload, [
        [2, two],
        [1, wrong],
        [1, one],
      ]);
      const last = sent.filter((_, i) => i !== 1);
      await store.completeUpload('parts/resent', upload, last);
      expect((await bytesOf('parts/resent')).equals(Buffer.concat([one, two]))).toBe(true);
    }, 30_000);

    test('keeps two uploads of one key apart', async () => {
      const uploads = await Promise.all([store.beginUpload('parts/twins'), store.beginUpload('parts/twins')]);
      const bytes = [randomBytes(fiveMebibytes), randomBytes(fiveMebibytes)] as const;
      const [first, second] = await Promise.all([
        send('parts/twins', uploads[0], [[1, bytes[0]]]),
        send('parts/twins', uploads[1], [[1, bytes[1]]]),
      ]);
      await store.completeUpload('parts/twins', uploads[1], second);
      expect((await bytesOf('parts/twins')).equals(bytes[1])).toBe(true);
      await store.completeUpload('parts/twins', uploads[0], first);
      expect((await bytesOf('parts/twins')).equals(bytes[0])).toBe(true);
    }, 30_000);

    test('makes an empty object of no parts', async () => {
      const upload = await store.beginUpload('parts/none');
      await store.completeUpload('parts/none', upload, []);
      expect((await store.head('parts/none')).bytes).toBe(0);
    });

    test('refuses parts that it did not take', async () => {
      const upload = await store.beginUpload('parts/forged');
      const [sent] = await send('parts/forged', upload, [[1, randomBytes(10)]]);
      const forged = [{ number: 1, tag: `${sent?.tag ?? ''}0` }];
      await expect(store.completeUpload('parts/forged', upload, forged)).rejects.toEqual(code('upload_part_invalid'));
      await store.abortUpload('parts/forged', upload);
      await expect(store.head('parts/forged')).rejects.toEqual(code('object_not_found'));
    });

    test('knows nothing of an upload that ended', async () => {
      const upload = await store.beginUpload('parts/aborted');
      const sent = await send('parts/aborted', upload, [[1, randomBytes(10)]]);
      await store.abortUpload('parts/aborted', upload);
      await store.abortUpload('parts/aborted', upload);
      await expect(store.putPart('parts/aborted', upload, 2, Buffer.from('x'))).rejects.toEqual(
        code('upload_not_found'),
      );
      await expect(store.completeUpload('parts/aborted', upload, sent)).rejects.toEqual(code('upload_not_found'));
      await expect(store.head('parts/aborted')).rejects.toEqual(code('object_not_found'));
    });

    test('forgets uploads that nobody has touched for long, and no others', async () => {
      const upload = await store.beginUpload('parts/abandoned');
      const sent = await send('parts/abandoned', upload, [[1, randomBytes(10)]]);
      await store.put('parts/kept', Buffer.from('x'));
      await store.forgetUploads(new Date(Date.now() - 3_600_000));
      sent[0] = { number: 1, tag: await store.putPart('parts/abandoned', upload, 1, Buffer.from('again')) };
      await store.forgetUploads(new Date(Date.now() + 3_600_000));
      await expect(store.putPart('parts/abandoned', upload, 2, Buffer.from('x'))).rejects.toEqual(
        code('upload_not_found'),
      );
      await expect(store.completeUpload('parts/abandoned', upload, sent)).rejects.toEqual(code('upload_not_found'));
      expect((await bytesOf('parts/kept')).toString()).toBe('x');
    });

    test('names the file that holds an object, or none', async () => {
      await store.put('local/object', Buffer.from('here'));
      const path = store.localPath('local/object');
      if (path !== undefined) expect(await readFile(path, 'utf8')).toBe('here');
    });

    test.each([0, 5, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes + 12_345])(
      'stores a source of %i bytes with its digest',
      async (size) => {
        const bytes = randomBytes(size);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        expect(await writeObject(store, 'content/object', chunksOf(bytes, 777_777), { sha256 })).toEqual({
          bytes: size,
          sha256,
        });
        expect(await digestObject(store, 'content/object')).toEqual({ bytes: size, sha256 });
      },
      60_000,
    );

    test.each([5, 2 * partBytes])('stores nothing when %i bytes are not the expected ones', async (size) => {
      const bytes = randomBytes(size);
      const sha256 = createHash('sha256').update('other').digest('hex');
      await expect(writeObject(store, 'content/wrong', chunksOf(bytes, 777_777), { sha256 })).rejects.toEqual(
        code('digest_mismatch'),
      );
      const short = { bytes: size + 1 };
      await expect(writeObject(store, 'content/wrong', chunksOf(bytes, 777_777), short)).rejects.toEqual(
        code('size_mismatch'),
      );
      await expect(store.head('content/wrong')).rejects.toEqual(code('object_not_found'));
    });

    test.each([0, 3 * partBytes])('stores nothing when the source breaks after %i bytes', async (size) => {
      const broken = async function* () {
        yield* chunksOf(randomBytes(size), 1 << 20);
        throw new Error('the line went dead');
      };
      await expect(writeObject(store, 'content/broken', broken())).rejects.toThrow('the line went dead');
      await expect(store.head('content/broken')).rejects.toEqual(code('object_not_found'));
    });
  });
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by type
async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}
