import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { recipeText } from '../../src/recipe/index.js';
import { type Api, startApi } from '../support/api.js';
import { until } from '../support/child-server.js';
import { amalgam } from '../support/command.js';
import { type FakeHub, readToken, startFakeHub, writeToken } from '../support/fake-hub.js';
import { bytesOfStore, fillRepository } from '../support/imports.js';
import { pushSamples, readSample } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(180_000);

const slerp = (base: string, other: string): object => ({
  merge_method: 'slerp',
  base_model: base,
  models: [{ model: other }],
  parameters: { t: 0.5 },
});
const ends = ['succeeded', 'failed', 'cancelled'];
/** Of the three tiny models together, headers are less than this. */
const headerBytes = 60_000;

interface Ended {
  body: Record<string, unknown>;
  types: string[];
}

describeWithShared('fakehub', 'merges of models of the Hub', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort', 'reverse']);
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  }, 60_000);
  beforeEach(() => hub.reset());

  const submit = async (recipe: unknown, output: string, more: object = {}, token?: string): Promise<string> => {
    const headers = token === undefined ? undefined : { 'hub-token': token };
    const answer = await api.client.post('/v1/merges', { recipe, output, ...more }, headers);
    if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    return String(answer.body['id']);
  };
  const endOf = async (id: string): Promise<Ended> => {
    let body: Record<string, unknown> = {};
    await until(
      `merge ${id} has ended`,
      async () => {
        ({ body } = await api.client.get(`/v1/merges/${id}`));
        return ends.includes(String(body['state']));
      },
      120,
    );
    const { items } = (await api.client.get(`/v1/merges/${id}/events`)).body as { items: { type: string }[] };
    const types = items.map(({ type }) => type).filter((type) => !['shard', 'progress', 'fetched'].includes(type));
    return { body, types };
  };
  const preparationOf = async (id: string): Promise<object | undefined> => {
    const rows = await api
      .get(DataSource)
      .query<object[]>('select owner, failures, sealed_token from merge_preparations where merge_id = $1', [id]);
    return rows[0];
  };
  const fill = (id: string, sample: string, options: object = {}) =>
    fillRepository(hub, id, readSample(sample), options);
  const commitOf = async (id: string) => (await hub.state()).repos[id]?.branches['main'] ?? '';
  const versionOf = async (reference: string) => {
    const [model = '', version = ''] = reference.split('@');
    return (await api.client.get(`/v1/models/${model}/versions/${version}`)).body;
  };
  const weightsOf = async (reference: string): Promise<string | undefined> => {
    const { files } = (await versionOf(reference)) as { files: { path: string; sha256: string }[] };
    return files.find(({ path }) => path === 'model.safetensors')?.sha256;
  };

  test('two models of the Hub become the merge that the same models of the registry become', async () => {
    await fill('acme/reverse', 'reverse');
    await fill('acme/sort', 'sort');
    const here = await endOf(await submit(slerp('samples/reverse', 'samples/sort'), 'team/here'));
    expect(here.types).toEqual(['queued', 'running', 'finalizing', 'succeeded']);
    const { body, types } = await endOf(await submit(slerp('hf:acme/reverse', 'acme/sort@main'), 'team/there'));
    expect(body).toMatchObject({ state: 'succeeded', version: 'team/there@1', failure: null });
    expect(types).toEqual(['queued', 'planning', 'fetching', 'running', 'finalizing', 'succeeded']);
    expect(body['needs']).toMatchObject([
      { reference: 'acme/sort@main', state: 'succeeded', version: 'hf/acme--sort@1', merge: null },
      { reference: 'hf:acme/reverse', state: 'succeeded', version: 'hf/acme--reverse@1', merge: null },
    ]);
    expect(body['plan']).toMatchObject({
      fetchBytes: 0,
      inputs: [
        { reference: 'hf:acme/reverse', version: 'hf/acme--reverse@1', role: 'base', licence: 'apache-2.0' },
        { reference: 'acme/sort@main', version: 'hf/acme--sort@1' },
      ],
    });
    expect(await weightsOf('team/there@1')).toBe(await weightsOf('team/here@1'));
    const { nodes } = (await api.client.get('/v1/models/team/there/versions/1/lineage')).body as {
      nodes: { source?: string }[];
    };
    expect(nodes.map(({ source }) => source)).toContain(`hf:acme/sort@${await commitOf('acme/sort')}`);
    // The same again finds the result; what moves to another commit is fetched anew.
    await hub.control({ forgetRequests: true });
    const again = await endOf(await submit(slerp('hf:acme/reverse', 'acme/sort'), 'team/there'));
    expect(again.body).toMatchObject({ deduplicated: true, version: 'team/there@1' });
    expect(again.types).toEqual(['queued', 'planning', 'succeeded']);
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThan(headerBytes);
  });

  test('a plan says what would be fetched, and moves no weights', async () => {
    await fill('acme/base', 'base');
    await hub.control({ forgetRequests: true });
    const { status, body } = await api.client.post('/v1/plans', { recipe: slerp('hf:acme/base', 'samples/sort') });
    expect(status).toBe(200);
    const commit = await commitOf('acme/base');
    const inputs = [{ reference: 'hf:acme/base', version: `hf:acme/base@${commit}`, versionId: null }, {}];
    const licence = { verdict: 'allow-with-obligations', resultLicence: 'apache-2.0' };
    expect(body).toMatchObject({ method: 'slerp', tensors: { merged: 39 }, inputs, licence });
    const size = readSample('base')['model.safetensors']?.byteLength ?? 0;
    expect(body['fetchBytes']).toBeGreaterThan(size);
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThan(headerBytes);
    expect((await api.client.get('/v1/models/hf/acme--base')).status).toBe(404);
  });

  test('a plan that fails from the headers has moved no weight byte, and says where', async () => {
    await fill('acme/sort', 'sort');
    const { 'model.safetensors': weights = new Uint8Array() } = readSample('base');
    const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama', num_hidden_layers: 9 };
    const other = { 'model.safetensors': weights, 'config.json': JSON.stringify(config) };
    await fillRepository(hub, 'acme/pickle', { 'config.json': '{}', 'pytorch_model.bin': 'x' });
    await fillRepository(hub, 'acme/odd', other);
    await hub.control({ forgetRequests: true });
    const odd = await endOf(await submit(slerp('hf:acme/sort', 'hf:acme/odd'), 'team/failed'));
    expect(odd.body).toMatchObject({ state: 'failed', version: null });
    const pickle = await endOf(await submit(slerp('hf:acme/sort', 'hf:acme/pickle'), 'team/failed'));
    expect(pickle.body).toMatchObject({ failure: { pointer: '/recipe/models/0/model' } });
    const absent = await endOf(await submit(slerp('hf:acme/sort', 'hf:acme/nowhere'), 'team/failed'));
    expect(absent.body).toMatchObject({
      failure: { code: 'hub_repository_not_found', pointer: '/recipe/models/0/model' },
    });
    for (const { types } of [odd, pickle, absent]) expect(types).toEqual(['queued', 'planning', 'failed']);
    expect(bytesOfStore((await hub.state()).requests)).toBeLessThan(headerBytes);
    expect((await api.client.get('/v1/imports')).body['items']).not.toContainEqual(
      expect.objectContaining({ source: expect.stringContaining('acme/odd') as unknown }),
    );
  });

  test('a name that neither the registry nor the Hub has is refused at once', async () => {
    const answer = await api.client.post('/v1/merges', {
      recipe: slerp('samples/sort', 'acme/nowhere'),
      output: 'team/none',
    });
    expect([answer.status, answer.body['code']]).toEqual([422, 'input_not_found']);
    expect(answer.body['detail']).toContain('Hub');
    expect(answer.body['errors']).toMatchObject([{ pointer: '/recipe/models/0/model' }]);
  });

  test('a gated model needs the token that came with the request, also for a second try', async () => {
    await fill('acme/gated', 'sort', { gated: 'auto' });
    const recipe = slerp('samples/reverse', 'hf:acme/gated');
    const id = await submit(recipe, 'team/gated');
    expect((await endOf(id)).body).toMatchObject({ state: 'failed', failure: { code: 'hub_gated' } });
    const refused = await submit(recipe, 'team/refused', {}, readToken);
    expect((await endOf(refused)).body).toMatchObject({ state: 'failed', failure: { code: 'hub_gated' } });
    expect(await preparationOf(refused)).toMatchObject({ sealed_token: null });
    const retried = await api.client.post(`/v1/merges/${id}/retry`, undefined, { 'hub-token': writeToken });
    expect(retried.status).toBe(202);
    const { body, types } = await endOf(id);
    expect(body).toMatchObject({ state: 'succeeded', version: 'team/gated@1', failure: null });
    expect(types.slice(2)).toEqual(['failed', 'queued', 'planning', 'fetching', 'running', 'finalizing', 'succeeded']);
    expect(JSON.stringify(body)).not.toContain(writeToken);
  });

  test('the command line merges two models of the Hub and publishes the result', async () => {
    await fill('acme/reverse', 'reverse', { gated: 'auto' });
    await fill('acme/sort', 'sort');
    const directory = await mkdtemp(join(tmpdir(), 'hub-inputs-'));
    const path = join(directory, 'recipe.yaml');
    await writeFile(path, recipeText(slerp('hf:acme/reverse@main', 'hf:acme/sort')));
    const argv = ['submit', path, 'team/published', '--publish', 'hf:acme/published', '--wait', '--url', api.url];
    const { status, stdout, stderr } = await amalgam(argv, { settings: { HF_TOKEN: writeToken } });
    await rm(directory, { recursive: true });
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('acme/sort') as unknown });
    expect(stdout).toContain('team/published@');
    const card = (await hub.read('acme/published', 'main', 'README.md')).toString();
    expect(card).toMatch(/^base_model:\n {2}- acme\/reverse\n {2}- acme\/sort$/m);
    expect(card).toContain(`hf:acme/sort@${await commitOf('acme/sort')}`);
    expect(await hub.read('acme/published', 'main', 'model.safetensors')).toHaveLength(
      readSample('sort')['model.safetensors']?.byteLength ?? 0,
    );
    expect(stdout + stderr).not.toContain(writeToken);
  });

  test('a cancelled merge calls its imports off', async () => {
    await fill('acme/slow', 'sort');
    await hub.configure({ faults: [{ match: 'GET /cdn/', skip: 4, times: 100, action: 'hang' }] });
    const id = await submit(slerp('samples/base', 'hf:acme/slow'), 'team/cancelled');
    await until('it fetches', async () => (await api.client.get(`/v1/merges/${id}`)).body['state'] === 'fetching', 60);
    const twin = await submit(slerp('samples/base', 'hf:acme/slow'), 'team/cancelled');
    expect(twin).toBe(id);
    // It waits in nobody's hands, and that counts against nobody.
    expect(await preparationOf(id)).toMatchObject({ owner: null, failures: 0 });
    expect((await api.client.post(`/v1/merges/${id}/cancel`)).status).toBe(202);
    const { body } = await endOf(id);
    expect(body).toMatchObject({ state: 'cancelled' });
    const [need] = body['needs'] as { import: string }[];
    await until(
      'the import is cancelled',
      async () => (await api.client.get(`/v1/imports/${need?.import ?? ''}`)).body['state'] === 'cancelled',
      60,
    );
  });
});
