import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SubmittingService } from '../../src/publishing/submitting.service.js';
import { type Api, startApi } from '../support/api.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import { dumpDatabase } from '../support/dump-database.js';
import { type FakeHub, readToken, startFakeHub, writeToken } from '../support/fake-hub.js';
import { fillRepository, importModel } from '../support/imports.js';
import { endOf, expectWhole, type Published } from '../support/publishing.js';
import { pushSamples, readSample } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';
import { syntheticModel } from '../support/synthetic-model.js';

// Long enough for a machine that is busy with other things; the tests wait for states.
jest.setTimeout(240_000);

const canary = 'hf_canary_b1d07a2e';

describeWithShared('fakehub', 'the token of a namespace', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort']);
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  }, 60_000);
  beforeEach(async () => {
    await hub.reset();
    await hub.configure({ tokens: { [canary]: 'write', [writeToken]: 'write', [readToken]: 'read' } });
    await api.get(DataSource).query('delete from hub_tokens');
  });

  const call = async (method: string, namespace: string, token?: string): Promise<void> => {
    const answer = await fetch(`${api.url}/v1/hub-tokens/${namespace}`, {
      method,
      ...(token !== undefined && {
        body: JSON.stringify({ token }),
        headers: { 'content-type': 'application/json' },
      }),
    });
    expect([method, answer.ok]).toEqual([method, true]);
  };
  const setToken = (namespace: string, token: string) => call('PUT', namespace, token);
  const deleteToken = (namespace: string) => call('DELETE', namespace);
  const base = { version: 'samples/base@1', repository: 'hf:acme/base' };
  const publishPlainly = async (): Promise<Published> => {
    const { status, body } = await api.client.post('/v1/publications', base);
    expect([status, body['code']]).toEqual([202, undefined]);
    return endOf(api.client, String(body['id']));
  };
  const code = ({ body }: { body: Record<string, unknown> }): unknown =>
    (body['failure'] as { code: string } | null)?.code ?? body['state'];

  test('imports what is private and gated, until it is removed; a request’s own goes before it', async () => {
    const files = syntheticModel({ layers: 1, layerBytes: 10_000, seed: 1 });
    await fillRepository(hub, 'acme/secret', files, { visibility: 'private' });
    await fillRepository(hub, 'acme/gated', files, { gated: 'auto' });
    const request = (name: string) => ({ source: `hf:acme/${name}`, model: `in/${name}` });
    await setToken('other', canary);
    expect(code(await importModel(api.client, request('secret')))).toBe('hub_repository_not_found');
    await setToken('in', canary);
    for (const name of ['secret', 'gated'])
      expect(code(await importModel(api.client, request(name)))).toBe('succeeded');
    expect(code(await importModel(api.client, request('gated'), readToken))).toBe('hub_gated');
    await deleteToken('in');
    expect(code(await importModel(api.client, request('secret')))).toBe('hub_repository_not_found');
    const gated = await importModel(api.client, request('gated'));
    expect(code(gated)).toBe('hub_gated');
    await setToken('in', canary);
    expect((await api.client.post(`/v1/imports/${gated.id}/retry`)).status).toBe(202);
    await until('the retry has ended well', async () => {
      return (await api.client.get(`/v1/imports/${gated.id}`)).body['state'] === 'succeeded';
    });
  });

  test('publishes, and looks, for whoever sends none; one that may not fails as a request’s own does', async () => {
    await setToken('samples', readToken);
    const refused = await publishPlainly();
    expect(code(refused)).toBe('hub_forbidden');
    await setToken('samples', 'hf_nobody');
    const again = await api.client.post(`/v1/publications/${refused.id}/retry`);
    expect(again.status).toBe(202);
    expect(code(await endOf(api.client, refused.id))).toBe('hub_token_refused');
    await setToken('samples', canary);
    expect(code(await publishPlainly())).toBe('succeeded');
    await expectWhole(api, hub, 'samples/base', 'acme/base');

    await hub.control({ repos: [{ id: 'acme/hidden', visibility: 'private' }] });
    const preview = { version: base.version, repository: 'hf:acme/hidden', dryRun: true };
    const seen = await api.client.post('/v1/publications', preview);
    expect(seen.body).toMatchObject({ repositoryExists: true, visibility: 'private' });
    await deleteToken('samples');
    const unseen = await api.client.post('/v1/publications', preview);
    expect(unseen.body).toMatchObject({ repositoryExists: false });
  });

  test('counts as it is when an attempt begins: one that is changed or removed meanwhile', async () => {
    const database = api.get(DataSource);
    /** Written down, and kept from every worker. */
    const submitHeld = async (): Promise<string> => {
      const { id } = await api
        .get(SubmittingService)
        .submit({ ...base, revision: 'main', createPr: false, dryRun: false }, undefined, 'test', (work) =>
          database.transaction(async (manager) => {
            const made = await work(manager);
            await manager.query(`update publications set lease_until = now() + interval '1 hour' where id = $1`, [
              made.id,
            ]);
            return made;
          }),
        );
      return id;
    };
    const release = (id: string) => database.query('update publications set lease_until = null where id = $1', [id]);
    await setToken('samples', 'hf_nobody');
    const changed = await submitHeld();
    await setToken('samples', canary);
    await release(changed);
    expect(code(await endOf(api.client, changed))).toBe('succeeded');
    const removed = await submitHeld();
    await deleteToken('samples');
    await release(removed);
    expect(code(await endOf(api.client, removed))).toBe('hub_token_missing');
    const again = await api.client.post(`/v1/publications/${removed}/retry`);
    expect([again.status, again.body['code']]).toEqual([422, 'hub_token_missing']);
  });

  test('serves rules, triggers and merges that publish', async () => {
    await setToken('team', canary);
    const recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
    const made = await api.client.post('/v1/triggers', {
      ...{ name: 'sec', recipe, watch: 'other/checkpoints', output: 'team/merged', alias: 'best' },
      publish: 'hf:acme/merged',
    });
    expect(made.status).toBe(201);
    const rule = { model: 'team/merged', alias: 'best', repository: 'hf:acme/best' };
    expect((await api.client.post('/v1/publishing-rules', rule)).status).toBe(201);
    await api.client.push('other/checkpoints', trainedSample('reverse', 1));
    const states = async (): Promise<unknown[]> => {
      const { items } = (await api.client.get('/v1/publications?limit=200')).body as { items: (typeof made.body)[] };
      return items
        .filter(({ repository }) => ['hf:acme/merged', 'hf:acme/best'].includes(String(repository)))
        .map((body) => code({ body }));
    };
    await until('both are published', async () => (await states()).join() === 'succeeded,succeeded', 120);
    for (const repository of ['acme/merged', 'acme/best']) await expectWhole(api, hub, 'team/merged', repository);
  });

  test('fetches what a merge into the namespace needs, as it is then', async () => {
    await fillRepository(hub, 'acme/secret', readSample('reverse'), { visibility: 'private' });
    const recipe = {
      ...{ merge_method: 'slerp', base_model: 'hf:acme/secret', parameters: { t: 0.5 } },
      models: [{ model: 'samples/sort' }],
    };
    const merge = async (): Promise<Record<string, unknown>> => {
      const { body } = await api.client.post('/v1/merges', { recipe, output: 'team/there' });
      return api.client.reach(String(body['id']), ['succeeded', 'failed'], 120);
    };
    expect(code({ body: await merge() })).toBe('hub_repository_not_found');
    await setToken('hf', canary);
    expect(code({ body: await merge() })).toBe('hub_repository_not_found');
    await setToken('team', canary);
    expect(code({ body: await merge() })).toBe('succeeded');
    const rows = await api
      .get(DataSource)
      .query<object[]>(`select sealed_token, token_namespace from imports where namespace = 'hf'`);
    expect(rows).toEqual([{ sealed_token: null, token_namespace: 'team' }]);
    // A bare name that only the Hub has is looked for with the same token.
    const bare = { ...recipe, base_model: 'acme/secret' };
    const answerFor = async (output: string): Promise<number> =>
      (await api.client.post('/v1/merges', { recipe: bare, output })).status;
    expect([await answerFor('team/bare'), await answerFor('others/bare')]).toEqual([202, 422]);
  });

  test('is nowhere: rows, events, answers', async () => {
    await setToken('samples', canary);
    await hub.configure({ faults: [{ match: 'PUT /cdn/part/', action: 'status', status: 500 }] });
    const published = await publishPlainly();
    expect(code(published)).toBe('succeeded');
    const lists = ['hub-tokens', 'publications', 'imports', 'publishing-rules', 'triggers', 'models'];
    const answers = await Promise.all(lists.map((path) => api.client.text(`/v1/${path}`)));
    expect(answers[0]).toContain('samples');
    for (const text of [await dumpDatabase(api.get(DataSource)), JSON.stringify(published), ...answers]) {
      expect(text).not.toContain(canary);
    }
  });
});
