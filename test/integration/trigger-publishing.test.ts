import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Api, startApi } from '../support/api.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import { type FakeHub, startFakeHub, writeToken } from '../support/fake-hub.js';
import { pushSamples } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

// Long enough for a machine that is busy with other things; the tests wait for states.
jest.setTimeout(240_000);

describeWithShared('fakehub', 'the Llama-3-SEC loop', (folder) => {
  let hub: FakeHub;
  let api: Api;
  let recipe: string;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort']);
    recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  }, 60_000);

  const trigger = () => ({
    ...{ name: 'sec', recipe, watch: 'sec/checkpoints', output: 'sec/merged', publish: 'hf:acme/llama-3-sec' },
    retention: { keepLast: 1 },
  });
  const publications = async () => (await api.client.get('/v1/publications')).body['items'] as { state: string }[];
  const step = (number: number) => api.client.push('sec/checkpoints', trainedSample('reverse', number));

  test('needs a token to publish with', async () => {
    const { status, body } = await api.client.post('/v1/triggers', trigger());
    expect([status, body['code']]).toEqual([422, 'hub_token_missing']);
    expect((await api.client.get('/v1/triggers')).body['items']).toEqual([]);
  });

  test('three checkpoints become three merges and three publications, and the same one again nothing', async () => {
    const made = await api.client.post('/v1/triggers', trigger(), { 'hub-token': writeToken });
    expect(made.status).toBe(201);
    for (const number of [1, 2, 3]) {
      await step(number);
      await until(
        `${number} are published`,
        async () => {
          const states = (await publications()).map(({ state }) => state);
          if (states.includes('failed')) throw new Error(JSON.stringify(await publications(), null, 1));
          return states.length === number && states.every((state) => state === 'succeeded');
        },
        120,
      );
    }
    await step(2);
    await step(3);
    await until('both were seen', async () => {
      const [row] = await api.get(DataSource).query<{ seen: number }[]>('select seen_version as seen from triggers');
      return row?.seen === 5;
    });
    expect((await api.client.get('/v1/triggers/sec')).body['runs']).toMatchObject({ succeeded: 3, waiting: 0 });
    expect(await publications()).toHaveLength(3);

    const repo = (await hub.state()).repos['acme/llama-3-sec'];
    const newest = await api.client.bytes('/v1/models/sec/merged/versions/3/files/model.safetensors');
    expect((await hub.read('acme/llama-3-sec', 'main', 'model.safetensors')).equals(newest)).toBe(true);
    // The first one of the Hub itself, and three of ours.
    expect(Object.keys(repo?.commits ?? {})).toHaveLength(4);
  });

  test('what is on the Hub keeps its weights, whatever the retention says', async () => {
    await api.client.post('/v1/triggers', {
      ...{ ...trigger(), name: 'plain', watch: 'plain/checkpoints', output: 'plain/merged', publish: undefined },
    });
    for (const number of [1, 2]) {
      await api.client.push('plain/checkpoints', trainedSample('reverse', number));
      await until(
        'it is merged',
        async () => (await api.client.get(`/v1/models/plain/merged/versions/${number}`)).status === 200,
        90,
      );
    }
    // Once this one has expired, the other's were looked at and stayed.
    const expired = async (reference: string) =>
      (await api.client.get(`/v1/models/${reference.replace('@', '/versions/')}`)).body['weightsExpiredAt'] !== null;
    await until('the first has expired', () => expired('plain/merged@1'), 60);
    for (const version of [1, 2, 3]) expect(await expired(`sec/merged@${version}`)).toBe(false);
    const late = await api.client.post(
      '/v1/publications',
      { version: 'plain/merged@1', repository: 'hf:acme/late' },
      { 'hub-token': writeToken },
    );
    expect([late.status, late.body['code']]).toEqual([410, 'weights_expired']);
  });

  test('the token is in no row as it is', async () => {
    const rows = await api.get(DataSource).query<object[]>('select * from triggers');
    expect(JSON.stringify(rows)).toContain('sealed_token');
    expect(JSON.stringify(rows)).not.toContain(writeToken);
    expect(JSON.stringify((await api.client.get('/v1/triggers/sec')).body)).not.toContain(writeToken);
  });
});
