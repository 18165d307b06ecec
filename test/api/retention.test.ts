import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { isInputOfRunningMerge } from '../../src/merges/running-inputs.js';
import { requireWeights, WeightsExpiry } from '../../src/models/weights-expiry.service.js';
import { type Api, problemOf, startApi } from '../support/api.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import type { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';

let api: Api;
let client: HttpClient;
let recipe: string;

beforeAll(async () => {
  api = await startApi();
  client = api.client;
  await pushSamples(client, ['base', 'sort']);
  recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
}, 120_000);
afterAll(() => api.close(), 60_000);

interface Version {
  id: string;
  version: number;
  weightsExpiredAt: string | null;
  files: { path: string; sha256: string }[];
  bytes: number;
  digest: string;
}
const version = async (reference: string) =>
  (await client.get(`/v1/models/${reference.replace('@', '/versions/')}`)).body as unknown as Version;
const file = (reference: string, path: string, init?: RequestInit) =>
  fetch(`${api.url}/v1/models/${reference.replace('@', '/versions/')}/files/${path}`, init);
const alias = (model: string, name: string, number: number) =>
  fetch(`${api.url}/v1/models/${model}/aliases/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ version: number }),
  });
const weights = 'model.safetensors';
const linear = (...models: string[]) => ({
  merge_method: 'linear',
  models: models.map((model) => ({ model })),
  parameters: { weight: 1 },
});

/** Versions of a model that have their weights. */
async function kept(model: string): Promise<number[]> {
  const { body } = await client.get(`/v1/models/${model}/versions`);
  return (body['items'] as Version[]).filter((each) => each.weightsExpiredAt === null).map((each) => each.version);
}

describe('retention', () => {
  beforeAll(async () => {
    await client.post('/v1/triggers', {
      ...{ name: 'keep', recipe, watch: 'keep/checkpoints', output: 'keep/merged', retention: { keepLast: 2 } },
    });
    for (let step = 0; step < 4; step += 1) {
      await client.push('keep/checkpoints', trainedSample('reverse', step));
      await until(
        'it is merged',
        async () => (await client.get(`/v1/models/keep/merged/versions/${step + 1}`)).status === 200,
        60,
      );
      if (step === 0) expect((await alias('keep/merged', 'paper', 1)).status).toBe(201);
    }
    // Not of the trigger: it has no say about it.
    const own = await client.post('/v1/merges', {
      recipe: linear('samples/sort', 'samples/base'),
      output: 'keep/merged',
    });
    await client.reach(String(own.body['id']), ['succeeded']);
    await until('one has expired', async () => (await kept('keep/merged')).length < 5, 60);
  }, 240_000);

  it('keeps the last results, aliased ones, and what somebody else made', async () => {
    expect(await kept('keep/merged')).toEqual([5, 4, 3, 1]);
    const { body } = await client.get('/v1/triggers/keep/runs');
    expect((body['items'] as { weightsExpired: boolean }[]).map((run) => run.weightsExpired)).toEqual([
      ...[false, false, true, false],
    ]);
  });

  it('leaves manifest, card and lineage of an expired version; its weights are gone', async () => {
    const [expired, whole] = [await version('keep/merged@2'), await version('keep/merged@3')];
    expect(expired.files.map(({ path }) => path)).toEqual(whole.files.map(({ path }) => path));
    expect(expired.bytes).toBeGreaterThan(800_000);
    for (const path of ['card', 'lineage', 'licence', 'files/config.json', 'files/README.md']) {
      const { status } = await fetch(`${api.url}/v1/models/keep/merged/versions/2/${path}`);
      expect([path, status]).toEqual([path, 200]);
    }
    expect(await problemOf(await file('keep/merged@2', weights))).toMatchObject({
      status: 410,
      code: 'weights_expired',
    });
    expect((await file('keep/merged@2', weights, { method: 'HEAD' })).status).toBe(410);
    expect((await file('keep/merged@2', 'nothing.json')).status).toBe(404);

    const { sha256 } = expired.files.find(({ path }) => path === weights) ?? { sha256: '' };
    const rows = await api.get(DataSource).query<unknown[]>('select 1 from blobs where sha256 = $1', [sha256]);
    expect(rows).toEqual([]);
    const merge = (await client.get('/v1/triggers/keep/runs')).body['items'] as { merge: string }[];
    const keys = (await api.storedKeys()).filter((key) => key.includes(String(merge[2]?.merge)));
    expect(keys.filter((key) => key.includes('shard'))).toEqual([]);
  });

  it('does not bring a result back when its checkpoint comes again', async () => {
    expect(await client.push('keep/checkpoints', trainedSample('reverse', 1))).toBe('keep/checkpoints@5');
    await until('it was seen', async () => {
      const [row] = await api.get(DataSource).query<{ seen: number }[]>('select seen_version as seen from triggers');
      return row?.seen === 5;
    });
    const { body } = await client.get('/v1/triggers/keep');
    expect(body['runs']).toMatchObject({ succeeded: 4, waiting: 0, running: 0 });
    expect((await client.get('/v1/models/keep/merged/versions')).body['items']).toHaveLength(5);
    const filled = await client.post('/v1/triggers/keep/back-fills');
    expect(filled.body).toMatchObject({ queued: 0 });
  });

  it('refuses whatever would need the weights, with the same code', async () => {
    const merge = await client.post('/v1/merges', {
      recipe: linear('keep/merged@2', 'samples/sort'),
      output: 'keep/x',
    });
    expect([merge.status, merge.body['code']]).toEqual([410, 'weights_expired']);
    expect(JSON.stringify(merge.body)).toContain('/recipe/models/0/model');
    const plan = await client.post('/v1/plans', { recipe: linear('keep/merged@2', 'samples/sort') });
    expect([plan.status, plan.body['code']]).toEqual([410, 'weights_expired']);
    expect(await problemOf(await alias('keep/merged', 'late', 2))).toMatchObject({
      status: 410,
      code: 'weights_expired',
    });
  });

  it('makes the same merge again when its result has expired', async () => {
    const [, , run] = (await client.get('/v1/triggers/keep/runs')).body['items'] as { merge: string }[];
    const before = (await client.get(`/v1/merges/${String(run?.merge)}`)).body;
    const again = await client.post('/v1/merges', { recipe: before['recipe'], output: 'keep/again' });
    expect(again.status).toBe(202);
    await client.reach(String(again.body['id']), ['succeeded']);
    const digest = async (reference: string) =>
      (await version(reference)).files.find(({ path }) => path === weights)?.sha256;
    expect(await digest('keep/again@1')).toBe(await digest('keep/merged@2'));
    expect((await file('keep/again@1', weights)).status).toBe(200);
    // The bytes are there again, but not for the version that gave them up.
    expect((await file('keep/merged@2', weights)).status).toBe(410);
  }, 60_000);

  it('never takes the input of a merge that has not ended, and of no other one', async () => {
    const { id } = await version('keep/merged@3');
    const expire = () => api.get(WeightsExpiry).expire(id, [isInputOfRunningMerge]);
    // No GPU worker ever takes it: it stays queued.
    await api.get(DataSource).query(`insert into workers (id, pool) values ('gpu-1', 'gpu')`);
    const request = { recipe: linear('keep/merged@3', 'samples/base'), output: 'keep/long', device: 'gpu' };
    const queued = await client.post('/v1/merges', request);
    expect(queued.status).toBe(202);
    expect(await expire()).toBe(false);
    await client.post(`/v1/merges/${String(queued.body['id'])}/cancel`);
    await client.reach(String(queued.body['id']), ['cancelled']);
    expect(await expire()).toBe(true);
    const retried = await client.post(`/v1/merges/${String(queued.body['id'])}/retry`);
    expect([retried.status, retried.body['code']]).toEqual([410, 'weights_expired']);
  }, 60_000);

  it('is not undone by a merge that was planned before', async () => {
    const planned = await version('keep/merged@4');
    const weightsOf = api.get(WeightsExpiry);
    const manager = api.get(DataSource).manager;
    await expect(requireWeights(manager, [planned.id])).resolves.toBeUndefined();
    expect(await weightsOf.expire(planned.id, [])).toBe(true);
    await expect(requireWeights(manager, [planned.id])).rejects.toMatchObject({ code: 'weights_expired' });
    expect(await weightsOf.expire(planned.id, [])).toBe(false);
  });
});
