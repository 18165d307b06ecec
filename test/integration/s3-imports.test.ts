import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ImportSources } from '../../src/imports/import-sources.js';
import { type Api, startApi } from '../support/api.js';
import { describeWith } from '../support/environment.js';
import { importModel } from '../support/imports.js';
import { type Files, S3Folder, sourceOf } from '../support/s3-folder.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { syntheticModel } from '../support/synthetic-model.js';
import { TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(120_000);

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Three ranges and a rest, in two files. */
const weights = syntheticModel({ layers: 20, layerBytes: 4_000_000, seed: 7 });
const shard = 'model-00001-of-00002.safetensors';
const model: Files = {
  ...weights,
  'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
  'tokenizer.json': '{}',
  'additional_chat_templates/tools.jinja': '{{ tools }}',
};
const beside: Files = { 'pytorch_model.bin': 'pickle', 'checkpoint-1/model.safetensors': 'x', 'run.py': 'print()' };
const expected = Object.fromEntries(Object.entries(model).map(([path, bytes]) => [path, sha256(bytes)]));

describeWith(['s3'], 'imports from a bucket', () => {
  let server: SeaweedFs;
  let folder: S3Folder;
  let proxy: TcpProxy;
  let api: Api;
  beforeAll(async () => {
    server = await startSeaweedFs('models');
    folder = new S3Folder(server.config);
    proxy = await TcpProxy.start(server.config.url, { direction: 'up', afterBytes: Infinity, action: 'cut' });
    const sources = [
      sourceOf(server.config, { prefix: 'released', namespaces: ['in'] }),
      sourceOf(server.config, { prefix: 'common/', namespaces: ['*'] }),
      { ...sourceOf(server.config, { namespaces: ['in'] }), bucket: 'elsewhere', url: proxy.url, secretKey: 'wrong' },
    ];
    api = await startApi({ AMALGAM_S3_SOURCES: JSON.stringify(sources) });
  }, 90_000);
  afterAll(async () => {
    await api.close();
    await proxy.close();
    await server.stop();
  }, 30_000);

  const submit = (source: string, name: string, more: object = {}) =>
    api.client.post('/v1/imports', { source, model: name, ...more });
  const failure = async (source: string): Promise<unknown> =>
    (await importModel(api.client, { source, model: 'in/none' })).body['failure'];

  test('a model becomes a version: what it needs and nothing beside, with its origin', async () => {
    await folder.put('released/one', { ...model, ...beside });
    const source = 's3://models/released/one/';
    const { body, events } = await importModel(api.client, { source, model: 'in/one', alias: 'new' });
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/one@1', mode: 'copy' });
    const { body: version } = await api.client.get('/v1/models/in/one/versions/new');
    const files = version['files'] as { path: string; sha256: string }[];
    expect(Object.fromEntries(files.map((file) => [file.path, file.sha256]))).toEqual(expected);
    const origin = { repository: 's3://models/released/one', commit: expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(version).toMatchObject({ origin: 'import', licence: 'apache-2.0', source: origin });
    expect(sha256(await api.client.bytes(`/v1/models/in/one/versions/1/files/${shard}`))).toBe(expected[shard]);
    const types = events.map(({ type }) => type).filter((type) => !['file', 'progress'].includes(type));
    expect(types).toEqual(['queued', 'planning', 'fetching', 'succeeded']);
    const { body: lineage } = await api.client.get('/v1/models/in/one/versions/1/lineage');
    const { commit } = version['source'] as { commit: string };
    expect(lineage['nodes']).toMatchObject([{ source: `s3://models/released/one@${commit}` }]);
  });

  test('the same objects again are the same version; another object makes another', async () => {
    const again = (): Promise<unknown> =>
      importModel(api.client, { source: 's3://models/released/one', model: 'in/one' }).then(({ body }) => body);
    expect(await again()).toMatchObject({ state: 'succeeded', version: 'in/one@1' });
    await folder.put('released/one', { 'tokenizer.json': '{ }' });
    expect(await again()).toMatchObject({ state: 'succeeded', version: 'in/one@2' });
    await folder.put('released/one', { 'tokenizer.json': '{}' });
  });

  test.each([
    ['another namespace', 's3://models/released/one', 'out/one'],
    ['a folder whose name begins alike', 's3://models/released-later/one', 'in/one'],
    ['the folder above', 's3://models', 'in/one'],
    ['another bucket', 's3://others/released/one', 'in/one'],
    ['a bucket whose server counts', 's3://elsewhere/one', 'out/one'],
  ])('what is not allowed is refused before anything is connected to: %s', async (_, source, name) => {
    const { status, body } = await submit(source, name);
    expect([status, body['code']]).toEqual([403, 's3_source_not_allowed']);
    await expect(
      api.get(ImportSources).open(source, { token: undefined, signal: new AbortController().signal }),
    ).rejects.toMatchObject({ code: 's3_source_not_allowed' });
    expect(proxy.passed).toEqual({ up: 0, down: 0 });
  });

  test('what every namespace may read needs none', async () => {
    await folder.put('common/one', model);
    const { body } = await importModel(api.client, { source: 's3://models/common/one', model: 'out/one' });
    expect(body).toMatchObject({ state: 'succeeded', version: 'out/one@1' });
    const opened = api
      .get(ImportSources)
      .open('s3://models/common/one', { token: undefined, signal: new AbortController().signal });
    expect((await opened).checkpoint.shards).toHaveLength(2);
  });

  test.each(['s3://models/../released', 's3://models//released', 's3:models/one', 's3://M/one', 's3://models/a?b'])(
    '%s is no source',
    async (source) => {
      expect((await submit(source, 'in/one')).body).toMatchObject({ code: 'invalid_request' });
    },
  );

  test('a model of the Hub cannot be referred to', async () => {
    const { body } = await submit('hf:org/name', 'in/one', { mode: 'reference' });
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/mode' }] });
  });

  test('what no program should load is refused before any weight has moved; what is not there has its own code', async () => {
    const huge = Buffer.from(weights[shard] ?? '');
    huge.writeBigUInt64LE(2n ** 40n);
    await folder.put('released/broken', { ...model, [shard]: huge });
    await folder.put('released/pickle', { 'config.json': '{}', 'pytorch_model.bin': 'x' });
    const before = (await api.storedKeys()).sort();
    expect(await failure('s3://models/released/broken')).toMatchObject({ code: 'header_too_large' });
    expect(await failure('s3://models/released/pickle')).toMatchObject({ code: 'pickle_not_supported' });
    expect(await failure('s3://models/released/none')).toMatchObject({ code: 's3_source_not_found' });
    expect(await failure('s3://elsewhere/one')).toMatchObject({ code: 's3_source_refused' });
    expect((await api.storedKeys()).sort()).toEqual(before);
  });

  test('an object that was replaced or deleted since it was listed is never read', async () => {
    await folder.put('released/moving', model);
    const line = { token: undefined, signal: new AbortController().signal };
    const sources = api.get(ImportSources);
    const { plan } = await sources.open('s3://models/released/moving', line, 'in');
    const file = plan.files.find(({ path }) => path === shard);
    if (!file) throw new Error('the plan has no weights');
    const reader = sources.reader(plan, file, line, 'in');
    expect(await reader.read(5, 3)).toEqual(Buffer.from(weights[shard] ?? '').subarray(5, 8));
    await folder.put('released/moving', { [shard]: Buffer.alloc(file.bytes) });
    await expect(reader.read(5, 3)).rejects.toMatchObject({ code: 's3_source_changed' });
    await folder.delete(`released/moving/${shard}`);
    await expect(reader.read(5, 3)).rejects.toMatchObject({ code: 's3_source_changed' });
  });
});
