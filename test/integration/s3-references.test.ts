import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { BlobsService } from '../../src/models/blobs.service.js';
import { type Api, problemOf, startApi } from '../support/api.js';
import { describeWith } from '../support/environment.js';
import { type Imported, importModel } from '../support/imports.js';
import { type Files, S3Folder, sourceOf } from '../support/s3-folder.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(120_000);

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const modelOf = (seed: number): Files => ({
  ...syntheticModel({ layers: 4, layerBytes: 2_000_000, seed }),
  'README.md': `---\nlicense: apache-2.0\n---\n# Model ${seed}\n`,
});
const [one, two, three] = [modelOf(1), modelOf(2), modelOf(3)];
const shard = 'model.safetensors';
const recipe = {
  merge_method: 'linear',
  models: [
    { model: 'in/one@1', parameters: { weight: 0.25 } },
    { model: 'in/two@1', parameters: { weight: 0.75 } },
  ],
};

describeWith(['s3'], 'imports that refer to a bucket', () => {
  let server: SeaweedFs;
  let folder: S3Folder;
  let api: Api;
  beforeAll(async () => {
    server = await startSeaweedFs('models');
    folder = new S3Folder(server.config);
    const sources = [sourceOf(server.config, { prefix: 'released', namespaces: ['in'] })];
    api = await startApi({ AMALGAM_S3_SOURCES: JSON.stringify(sources) });
    await folder.put('released/one', one);
    await folder.put('released/two', two);
    await folder.put('released/three', three);
  }, 90_000);
  afterAll(async () => {
    await api.close();
    await server.stop();
  }, 30_000);

  const take = (name: string, mode: string): Promise<Imported> =>
    importModel(api.client, { source: `s3://models/released/${name}`, model: `in/${name}`, mode });
  const keyOf = async (digest: string): Promise<string | undefined> => {
    const select = 'select object_key from blobs where sha256 = $1';
    const rows = await api.get(DataSource).query<{ object_key: string }[]>(select, [digest]);
    return rows[0]?.object_key;
  };
  const merge = async (output: string, shardBytes: number): Promise<string> =>
    String((await api.client.post('/v1/merges', { recipe, output, shardBytes })).body['id']);
  const digestsOf = async (name: string): Promise<string[]> => {
    const { body } = await api.client.get(`/v1/models/${name}/versions/1`);
    const files = body['files'] as { path: string; sha256: string }[];
    return files.filter(({ path }) => path.endsWith('.safetensors')).map((file) => file.sha256);
  };

  test('the weights stay where they are: their digest is known, and their bytes can be read', async () => {
    const { body } = await take('one', 'reference');
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/one@1', mode: 'reference' });
    expect((await take('two', 'reference')).body).toMatchObject({ state: 'succeeded', version: 'in/two@1' });
    expect(await digestsOf('in/one')).toEqual([sha256(one[shard] ?? '')]);
    expect(await keyOf(sha256(one[shard] ?? ''))).toMatch(/^s3:\/\/models\/released\/one\/model\.safetensors#./);
    // What is small came along.
    expect(await keyOf(sha256(one['README.md'] ?? ''))).toMatch(/^blobs\//);
    const stored = await Promise.all((await api.storedKeys()).map((key) => api.store.head(key)));
    expect(stored.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(100_000);
    const file = `/v1/models/in/one/versions/1/files/${shard}`;
    expect(sha256(await api.client.bytes(file))).toBe(sha256(one[shard] ?? ''));
    const range = await fetch(api.url + file, { headers: { range: 'bytes=1000-1999' } });
    expect(range.status).toBe(206);
    const bytes = Buffer.from(one[shard] ?? '').subarray(1000, 2000);
    expect(Buffer.from(await range.arrayBuffer()).equals(bytes)).toBe(true);
    expect((await take('one', 'reference')).body).toMatchObject({ version: 'in/one@1' });
  });

  test('a merge reads them through the same allow-list, and no card shows where they are', async () => {
    await api.client.reach(await merge('out/referred', 3_000_000), ['succeeded'], 90);
    const card = await api.client.text('/v1/models/out/referred/versions/1/card');
    expect(card).toContain('in/one');
    const own = await api.client.text('/v1/models/in/one/versions/1/card');
    for (const text of [card, own]) expect(text).not.toMatch(/s3:|released|models\//);
  });

  test('what was replaced is not merged and not given out, and what was put back is', async () => {
    expect((await take('three', 'reference')).body).toMatchObject({ state: 'succeeded' });
    const other = { merge_method: 'linear', models: [{ model: 'in/three', parameters: { weight: 1 } }] };
    const request = { recipe: other, output: 'out/changed' };
    // Its headers are known from here on, so that the change is met by the worker.
    expect((await api.client.post('/v1/plans', { recipe: other })).status).toBe(200);
    await folder.put('released/three', { [shard]: two[shard] ?? '' });
    const file = `/v1/models/in/three/versions/1/files/${shard}`;
    expect(await problemOf(await fetch(api.url + file))).toMatchObject({ status: 422, code: 's3_source_changed' });
    const { body } = await api.client.post('/v1/merges', request);
    const failed = await api.client.reach(String(body['id']), ['failed'], 60);
    expect(failed['failure']).toMatchObject({ code: 's3_source_changed' });
    await folder.put('released/three', { [shard]: three[shard] ?? '' });
    expect(sha256(await api.client.bytes(file))).toBe(sha256(three[shard] ?? ''));
    await api.client.post(`/v1/merges/${String(body['id'])}/retry`);
    await api.client.reach(String(body['id']), ['succeeded'], 60);
  });

  test('what nobody refers to any more is forgotten, and never deleted', async () => {
    const digest = sha256('nobody');
    await folder.put('released/others', { 'a b.bin': 'nobody' });
    await api
      .get(DataSource)
      .query('insert into blobs (sha256, bytes, object_key) values ($1, 6, $2)', [
        digest,
        's3://models/released/others/a%20b.bin#0',
      ]);
    expect(await api.get(BlobsService).collectUnreferenced([digest])).toBe(1);
    expect(await keyOf(digest)).toBeUndefined();
    expect(await folder.has('released/others/a b.bin')).toBe(true);
  });

  test('a copy takes the place of a reference: the bucket is not needed any more', async () => {
    expect((await take('one', 'copy')).body).toMatchObject({ state: 'succeeded', version: 'in/one@2' });
    expect((await take('two', 'copy')).body).toMatchObject({ state: 'succeeded', version: 'in/two@2' });
    expect(await keyOf(sha256(one[shard] ?? ''))).toMatch(/^blobs\//);
    // A reference to what is in the store already stays in the store.
    expect((await take('one', 'reference')).body).toMatchObject({ state: 'succeeded', version: 'in/one@2' });
    for (const name of ['one', 'two']) await folder.delete(`released/${name}/${shard}`);
    expect(sha256(await api.client.bytes(`/v1/models/in/one/versions/1/files/${shard}`))).toBe(
      sha256(one[shard] ?? ''),
    );
    // Of other shards' size by name only: computed anew, from the copies, with the same bytes.
    await api.client.reach(await merge('out/copied', 3_000_001), ['succeeded'], 90);
    expect(await digestsOf('out/copied')).toEqual(await digestsOf('out/referred'));
  });

  test('a recipe may name the folder itself: it is imported into the namespace of the merge, which must be allowed', async () => {
    await folder.put('released/four', modelOf(4));
    const named = {
      merge_method: 'linear',
      models: [
        { model: 's3://models/released/four', parameters: { weight: 0.5 } },
        { model: 'in/one', parameters: { weight: 0.5 } },
      ],
    };
    const refused = await api.client.post('/v1/merges', { recipe: named, output: 'out/named' });
    expect([refused.status, refused.body['code']]).toEqual([403, 's3_source_not_allowed']);
    const { body } = await api.client.post('/v1/merges', { recipe: named, output: 'in/named' });
    await api.client.reach(String(body['id']), ['succeeded'], 90);
    const { items } = (await api.client.get('/v1/models?namespace=in&search=four')).body;
    expect(items).toMatchObject([{ name: expect.stringMatching(/^four-[0-9a-f]{8}$/) as unknown, latestVersion: 1 }]);
    const card = await api.client.text('/v1/models/in/named/versions/1/card');
    expect(card).toContain('in/four-');
    expect(card).not.toMatch(/s3:|released|models\//);
  });
});
