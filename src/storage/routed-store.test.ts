import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeObjectStore } from '../../test/support/object-store.conformance.js';
import { LocalDirectoryStore } from './local-directory.js';
import { RoutedStore } from './routed-store.js';
import { SourceBuckets } from './source-buckets.js';

describeObjectStore('RoutedStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'routed-'));
  const store = new RoutedStore(new LocalDirectoryStore(directory), new SourceBuckets([]));
  return { store, end: () => rm(directory, { recursive: true }) };
});

test('what is somebody else’s is neither written nor deleted, and read only while the configuration names it', async () => {
  const store = new RoutedStore(new LocalDirectoryStore(tmpdir()), new SourceBuckets([]));
  const key = 's3://models/one/model.safetensors#1';
  await store.delete(key);
  expect(store.localPath(key)).toBeUndefined();
  await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'object_key_invalid' });
  await expect(store.beginUpload(key)).rejects.toMatchObject({ code: 'object_key_invalid' });
  for (const read of [store.head(key), store.read(key)]) {
    await expect(read).rejects.toMatchObject({ code: 's3_source_not_allowed' });
  }
});
