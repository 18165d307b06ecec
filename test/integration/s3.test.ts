import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { S3Store } from '../../src/storage/s3.js';
import { describeWith } from '../support/environment.js';
import { describeObjectStore } from '../support/object-store.conformance.js';
import { startSeaweedFs, type SeaweedFs } from '../support/seaweedfs.js';

describeWith(['s3'], 'S3', () => {
  let server: SeaweedFs;
  beforeAll(async () => {
    server = await startSeaweedFs();
  }, 60_000);
  afterAll(() => server.stop());

  describeObjectStore('S3Store', () => {
    const store = new S3Store({ ...server.config, prefix: 'some/prefix/' });
    return Promise.resolve({ store, end: () => Promise.resolve() });
  });

  test('keeps to its prefix', async () => {
    const [one, two] = ['one/', 'two/'].map((prefix) => new S3Store({ ...server.config, prefix })) as [
      S3Store,
      S3Store,
    ];
    await one.put('same', Buffer.from('1'));
    await expect(two.head('same')).rejects.toMatchObject({ code: 'object_not_found' });
    const listed = [];
    for await (const object of one.list('')) listed.push(object);
    expect(listed).toEqual([{ key: 'same', bytes: 1 }]);
  });

  test.each([
    ['another secret', { secretKey: 'wrong' }],
    ['an unknown key', { accessKey: 'nobody' }],
    ['a missing bucket', { bucket: 'absent' }],
    ['nobody listening', { url: 'http://127.0.0.1:1' }],
  ])(
    'says with %s that it cannot be used',
    async (_, wrong) => {
      const store = new S3Store({ ...server.config, ...wrong });
      await expect(store.check()).rejects.toMatchObject({ code: 'storage_unavailable' });
      await expect(store.put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'storage_unavailable' });
    },
    60_000,
  );

  test('goes on reading and writing when the server comes back', async () => {
    const store = new S3Store(server.config);
    const bytes = randomBytes(24 * 2 ** 20);
    await store.put('restart/object', bytes);
    const stream = await store.read('restart/object');
    const received: Buffer[] = [];
    let restarted: Promise<void> | undefined;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        received.push(chunk);
        if (restarted) continue;
        server.kill('SIGKILL');
        await server.exited;
        restarted = server.restart();
      }
    } finally {
      await restarted;
    }
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
    await store.put('restart/again', bytes.subarray(0, 10));
    expect((await store.head('restart/again')).bytes).toBe(10);
  }, 60_000);
});
