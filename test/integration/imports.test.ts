import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { until } from '../support/child-server.js';
import { type FakeHub, readToken, startFakeHub, writeToken } from '../support/fake-hub.js';
import { bytesOfStore, endOfImport, fillRepository, importModel, submitImport } from '../support/imports.js';
import { expectImported, fillForImports, readingFaults } from '../support/import-faults.js';
import { describeWithShared } from '../support/shared.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(120_000);

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Three ranges and a rest, in two files. */
const weights = syntheticModel({ layers: 20, layerBytes: 4_000_000, seed: 7 });
const model: Record<string, Uint8Array | string> = {
  ...weights,
  'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
  LICENSE: 'Apache License',
  'tokenizer.json': '{}',
  'generation_config.json': '{}',
};
const beside = {
  'pytorch_model.bin': 'pickle',
  'consolidated.safetensors': weights['model-00001-of-00002.safetensors'] ?? '',
  'original/params.json': '{}',
  'run.py': 'print()',
};
const weightBytes = Object.entries(weights)
  .filter(([path]) => path.endsWith('.safetensors'))
  .reduce((sum, [, bytes]) => sum + bytes.byteLength, 0);
const shard = 'model-00001-of-00002.safetensors';

describeWithShared('fakehub', 'imports', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
  }, 60_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  });
  beforeEach(() => hub.control({ reset: true }));

  const filesOf = async (reference: string): Promise<Record<string, string>> => {
    const [name = '', version = ''] = reference.split('@');
    const { body } = await api.client.get(`/v1/models/${name}/versions/${version}`);
    const files = body['files'] as { path: string; sha256: string }[];
    return Object.fromEntries(files.map((file) => [file.path, file.sha256]));
  };
  const expected = Object.fromEntries(Object.entries(model).map(([path, bytes]) => [path, sha256(bytes)]));
  const storedBefore = async (): Promise<string[]> => (await api.storedKeys()).sort();

  test('a model becomes a version: what it needs, each byte once, with its origin', async () => {
    await fillRepository(hub, 'acme/one', { ...model, ...beside });
    await hub.control({ forgetRequests: true });
    const { body, events } = await importModel(api.client, { source: 'hf:acme/one', model: 'in/one', alias: 'new' });
    const { requests, repos } = await hub.state();
    const commit = repos['acme/one']?.branches['main'];
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/one@1', repository: 'hf:acme/one', commit });
    expect(await filesOf('in/one@1')).toEqual(expected);
    const { body: version } = await api.client.get('/v1/models/in/one/versions/new');
    expect(version).toMatchObject({ origin: 'import', licence: 'apache-2.0', source: { commit } });
    // The headers are read once to decide and once more as part of their files.
    expect(bytesOfStore(requests) - weightBytes).toBeLessThan(20_000);
    const types = events.map(({ type }) => type).filter((type) => !['file', 'progress'].includes(type));
    expect(types).toEqual(['queued', 'planning', 'fetching', 'succeeded']);
    const { body: lineage } = await api.client.get('/v1/models/in/one/versions/1/lineage');
    expect(lineage['nodes']).toMatchObject([{ origin: 'import', source: `hf:acme/one@${commit}` }]);
  });

  test('the same commit again fetches nothing, and a second import that runs is the first', async () => {
    await fillRepository(hub, 'acme/one', model);
    await hub.configure({ faults: [{ match: `resolve/.*/${shard}`, times: 3, action: 'delay', ms: 500 }] });
    const request = { source: 'hf:acme/one@main', model: 'in/again' };
    const id = await submitImport(api.client, request);
    expect(await submitImport(api.client, request)).toBe(id);
    await endOfImport(api.client, id);
    await hub.control({ forgetRequests: true });
    const { body } = await importModel(api.client, request);
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/again@1' });
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThan(20_000);
  });

  test('a gated model needs a token with access; nothing is stored without', async () => {
    await fillRepository(hub, 'acme/gated', model, { gated: 'auto' });
    const before = await storedBefore();
    const request = { source: 'hf:acme/gated', model: 'in/gated' };
    const refused = async (token?: string): Promise<unknown> => {
      return (await importModel(api.client, request, token)).body;
    };
    expect(await refused()).toMatchObject({ state: 'failed', failure: { code: 'hub_gated' } });
    expect(await refused(readToken)).toMatchObject({ state: 'failed', failure: { code: 'hub_gated' } });
    expect(await refused('hf_nobody')).toMatchObject({ state: 'failed' });
    expect(await storedBefore()).toEqual(before);
    const { id, body } = await importModel(api.client, request, writeToken);
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/gated@1' });
    // The token goes to the Hub, never to its store; and it is forgotten with the end.
    const retried = await api.client.post(`/v1/imports/${id}/retry`);
    expect(retried.body).toMatchObject({ code: 'import_not_retryable' });
  });

  test('what is not there is said with its own code', async () => {
    await fillRepository(hub, 'acme/one', model);
    await fillRepository(hub, 'acme/secret', model, { visibility: 'private' });
    await fillRepository(hub, 'acme/pickle', { 'config.json': '{}', 'pytorch_model.bin': 'x' });
    const failure = async (source: string, token?: string): Promise<unknown> => {
      const { body } = await importModel(api.client, { source, model: 'in/none' }, token);
      return (body['failure'] as { code: string } | null)?.code ?? body['state'];
    };
    expect(await failure('hf:acme/none')).toBe('hub_repository_not_found');
    expect(await failure('hf:acme/secret')).toBe('hub_repository_not_found');
    expect(await failure('hf:acme/secret', readToken)).toBe('succeeded');
    expect(await failure('hf:acme/one@none')).toBe('hub_revision_not_found');
    expect(await failure('hf:acme/pickle')).toBe('pickle_not_supported');
  });

  test('a renamed repository is followed', async () => {
    await fillRepository(hub, 'acme/old', model);
    const moved = await fetch(`${hub.url}/api/repos/move`, {
      method: 'POST',
      headers: { authorization: `Bearer ${writeToken}` },
      body: JSON.stringify({ fromRepo: 'acme/old', toRepo: 'acme/new', type: 'model' }),
    });
    expect(moved.status).toBe(200);
    const { body } = await importModel(api.client, { source: 'hf:acme/old', model: 'in/renamed' });
    expect(body).toMatchObject({ state: 'succeeded', repository: 'hf:acme/new' });
  });

  test('a header that no program should load is refused before any weight has moved', async () => {
    const bytes = Buffer.from(weights[shard] ?? '');
    bytes.writeBigUInt64LE(2n ** 40n);
    await fillRepository(hub, 'acme/broken', { ...model, [shard]: bytes });
    const before = await storedBefore();
    const { body } = await importModel(api.client, { source: 'hf:acme/broken', model: 'in/broken' });
    expect(body).toMatchObject({ state: 'failed', failure: { code: 'header_too_large' } });
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThan(20_000);
    expect(await storedBefore()).toEqual(before);
  });

  test('429, 500, a cut and an expired address cost the range in flight', async () => {
    await fillRepository(hub, 'acme/bad-line', model);
    await hub.control({
      forgetRequests: true,
      config: {
        faults: [
          { match: 'GET /api/models/acme/bad-line', action: 'status', status: 429, headers: { 'retry-after': '1' } },
          { match: 'GET /cdn/get', skip: 9, action: 'cut', bytes: 3_000_000 },
          { match: 'GET /cdn/get', skip: 10, action: 'status', status: 500 },
          { match: 'GET /cdn/get', skip: 11, action: 'status', status: 403 },
          { match: 'GET /cdn/get', skip: 12, action: 'drop' },
        ],
      },
    });
    const { body } = await importModel(api.client, { source: 'hf:acme/bad-line', model: 'in/bad-line' });
    expect(body).toMatchObject({ state: 'succeeded' });
    expect(await filesOf('in/bad-line@1')).toEqual(expected);
    const { requests } = await hub.state();
    expect(requests.filter(({ fault }) => fault).length).toBe(5);
    expect(bytesOfStore(requests) - weightBytes).toBeLessThan(1_000_000);
  });

  test.each(Object.entries(readingFaults))('%s', async (_name, fault) => {
    await fillForImports(hub);
    await hub.control({ forgetRequests: true, config: { faults: [fault] } });
    const name = `in/fault-${Object.values(readingFaults).indexOf(fault)}`;
    const { body } = await importModel(api.client, { source: 'hf:acme/open', model: name });
    expect(body).toMatchObject({ state: 'succeeded', failure: null });
    expect((await hub.state()).requests.some((each) => each.fault !== undefined)).toBe(true);
    await expectImported(api.client, name);
  });

  test('bytes with another digest than announced make no version', async () => {
    await fillRepository(hub, 'acme/forged', model);
    const state = await hub.state();
    const oid = sha256(weights[shard] ?? '');
    expect(state.objects).toContain(oid);
    // The same size and header, one bit of the last tensor flipped: only the digest can tell.
    await hub.corrupt(oid, (weights[shard]?.byteLength ?? 0) - 1);
    const before = await storedBefore();
    const { id, body } = await importModel(api.client, { source: 'hf:acme/forged', model: 'in/forged' });
    expect(body).toMatchObject({ state: 'failed', failure: { code: 'digest_mismatch' } });
    expect(JSON.stringify(body['failure'])).toContain(shard);
    expect((await api.client.get('/v1/models/in/forged/versions')).body['items']).toEqual([]);
    // What was right so far is kept for a retry, which fetches the rest only.
    await hub.corrupt(oid, (weights[shard]?.byteLength ?? 0) - 1);
    await hub.control({ forgetRequests: true });
    await api.client.post(`/v1/imports/${id}/retry`);
    expect((await endOfImport(api.client, id)).body).toMatchObject({ state: 'succeeded' });
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThanOrEqual(weightBytes);
    expect(before.length).toBeLessThan((await storedBefore()).length);
  });

  test('a cancelled import ends at once and frees what it had stored', async () => {
    await fillRepository(hub, 'acme/slow', model);
    await hub.configure({ faults: [{ match: 'GET /cdn/get', skip: 8, times: 100, action: 'delay', ms: 60_000 }] });
    const before = await storedBefore();
    const id = await submitImport(api.client, { source: 'hf:acme/slow', model: 'in/slow' });
    await until('it fetches', async () => (await api.client.get(`/v1/imports/${id}`)).body['state'] === 'fetching');
    expect((await api.client.post(`/v1/imports/${id}/cancel`)).status).toBe(202);
    expect((await endOfImport(api.client, id, 15)).body).toMatchObject({ state: 'cancelled', version: null });
    expect((await api.client.post(`/v1/imports/${id}/cancel`)).status).toBe(202);
    await until('its bytes are gone', async () => (await storedBefore()).join() === before.join());
    await hub.configure({ faults: [] });
    await api.client.post(`/v1/imports/${id}/retry`);
    expect((await endOfImport(api.client, id)).body).toMatchObject({ state: 'succeeded' });
    expect((await api.client.post(`/v1/imports/${id}/cancel`)).body).toMatchObject({ code: 'import_finished' });
  });

  test('what is asked for wrongly is refused, with its place', async () => {
    const refused = async (body: object, headers = {}): Promise<unknown> => {
      const answer = await api.client.post('/v1/imports', body, headers);
      const [first] = (answer.body['errors'] ?? [{}]) as { pointer?: string }[];
      return [answer.status, first?.pointer];
    };
    expect(await refused({ source: 'acme/one', model: 'in/one' })).toEqual([400, '/source']);
    expect(await refused({ source: 'hf:acme/one@../x', model: 'in/one' })).toEqual([400, '/source']);
    expect(await refused({ source: 'hf:acme/one', model: 'one' })).toEqual([400, '/model']);
    expect(await refused({ source: 'hf:acme/one', model: 'in/one', alias: 'latest' })).toEqual([400, '/alias']);
    const header = await refused({ source: 'hf:acme/one', model: 'in/one' }, { 'hub-token': 'a b' });
    expect(header).toEqual([400, 'Hub-Token']);
    const none = await api.client.get('/v1/imports/00000000-0000-4000-8000-000000000000');
    expect(none.body).toMatchObject({ status: 404, code: 'import_not_found' });
  });
});
