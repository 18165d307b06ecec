import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import type { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';
import { syntheticModel } from '../support/synthetic-model.js';

const example = join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml');

let api: Api;
let client: HttpClient;
let recipe: string;

beforeAll(async () => {
  api = await startApi();
  client = api.client;
  await pushSamples(client, ['base', 'sort', 'reverse']);
  recipe = await readFile(example, 'utf8');
}, 120_000);
afterAll(() => api.close(), 60_000);

interface Run {
  checkpoint: string;
  checkpointDigest: string;
  state: string;
  origin: string;
  merge: string | null;
  version: string | null;
  failure: { code: string } | null;
}

async function listRuns(trigger: string): Promise<Run[]> {
  return (await client.get(`/v1/triggers/${trigger}/runs`)).body['items'] as Run[];
}

/** Waits until so many checkpoints of a trigger have come to an end, each in the state. */
async function untilRuns(trigger: string, count: number, state = 'succeeded'): Promise<Run[]> {
  let runs: Run[] = [];
  await until(
    `${count} runs of ${trigger} are ${state}`,
    async () => {
      runs = await listRuns(trigger);
      return runs.length === count && runs.every((run) => run.state === state);
    },
    90,
  );
  return runs;
}

async function versionsOf(model: string): Promise<{ reference: string; aliases: string[] }[]> {
  const { status, body } = await client.get(`/v1/models/${model}/versions`);
  return status === 404 ? [] : (body['items'] as { reference: string; aliases: string[] }[]);
}

const create = (name: string, more: object = {}) =>
  client.post('/v1/triggers', { name, recipe, watch: `${name}/checkpoints`, output: `${name}/merged`, ...more });
const step = (name: string, number: number) => client.push(`${name}/checkpoints`, trainedSample('reverse', number));

describe('the Llama-3-SEC loop', () => {
  it('makes three merges of three checkpoints, one after the other, in one lineage', async () => {
    const { status, body, headers } = await create('sec', { alias: 'best', labels: { run: 'a' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'sec', enabled: true, retention: null, runs: { waiting: 0, succeeded: 0 } });
    expect(headers.get('location')).toBe(`/v1/triggers/${String(body['id'])}`);
    for (const number of [0, 1, 2]) await step('sec', number);

    const runs = await untilRuns('sec', 3);
    expect(runs.map(({ checkpoint, version, origin }) => [checkpoint, version, origin])).toEqual([
      ['sec/checkpoints@3', 'sec/merged@3', 'arrival'],
      ['sec/checkpoints@2', 'sec/merged@2', 'arrival'],
      ['sec/checkpoints@1', 'sec/merged@1', 'arrival'],
    ]);
    expect((await client.get('/v1/triggers/sec')).body['runs']).toMatchObject({ succeeded: 3, waiting: 0 });
    const versions = await versionsOf('sec/merged');
    expect(versions.map(({ aliases }) => aliases)).toEqual([['best', 'latest'], [], []]);
    const merge = await client.get(`/v1/merges/${String(runs[0]?.merge)}`);
    expect(merge.body).toMatchObject({ labels: { trigger: 'sec', run: 'a' }, alias: 'best' });

    const namesIn = async (reference: string) => {
      const { body: graph } = await client.get(`/v1/models/${reference.replace('@', '/versions/')}/lineage`);
      return (graph['nodes'] as { name: string }[]).map(({ name }) => name).sort();
    };
    const merged = [1, 2, 3].map((version) => `sec/merged@${version}`);
    expect(await namesIn('samples/base@1')).toEqual(['samples/base@1', ...merged]);
    for (const [index, name] of merged.entries()) {
      expect(await namesIn(name)).toEqual([
        ...['samples/base@1', 'samples/sort@1', `sec/checkpoints@${index + 1}`, name],
      ]);
    }
  }, 180_000);

  it('does nothing when the same checkpoint comes again', async () => {
    expect(await step('sec', 1)).toBe('sec/checkpoints@4');
    expect(await step('sec', 3)).toBe('sec/checkpoints@5');
    const runs = await untilRuns('sec', 4);
    expect(runs.map(({ checkpoint }) => checkpoint)).toEqual(
      [5, 3, 2, 1].map((version) => `sec/checkpoints@${version}`),
    );
    expect(await versionsOf('sec/merged')).toHaveLength(4);
  }, 120_000);
});

describe('a trigger that is made', () => {
  const slot = { model: '$checkpoint' };
  const refused = async (more: object) => {
    const { status, body } = await create('bad', more);
    expect((await client.get('/v1/triggers/bad')).status).toBe(404);
    const [first] = (body['errors'] ?? []) as { pointer: string }[];
    return [status, body['code'], first?.pointer ?? body['pointer']];
  };

  it('is refused with a pointer when it could never work', async () => {
    const linear = { merge_method: 'linear', models: [slot, { model: 'samples/sort' }], parameters: { weight: 1 } };
    expect(
      await refused({ recipe: { ...linear, models: [{ model: 'samples/sort' }, { model: 'samples/base' }] } }),
    ).toEqual([422, 'checkpoint_slot_missing', '/recipe']);
    expect(await refused({ recipe: { ...linear, merge_metod: 'ties' } })).toEqual([
      422,
      'near_miss',
      expect.anything(),
    ]);
    expect(await refused({ recipe: { ...linear, models: [slot, { model: 'samples/sorted' }] } })).toEqual([
      ...[422, 'input_not_found', '/recipe/models/1/model'],
    ]);
    expect(await refused({ name: '00000000-0000-4000-8000-000000000000' })).toEqual([400, 'invalid_request', '/name']);
    expect(await refused({ watch: 'nobody' })).toEqual([400, 'invalid_request', '/watch']);
    expect(await refused({ retention: { keepLast: 0 } })).toEqual([400, 'invalid_request', '/retention/keepLast']);
    expect(await refused({ recipe: 'merge_method: [' })).toEqual([422, expect.any(String), expect.anything()]);
  });

  it('is planned with the newest checkpoint, when there is one', async () => {
    await client.push('odd/checkpoints', syntheticModel({ layers: 1, layerBytes: 1_000, seed: 1 }));
    const [status, code, pointer] = await refused({ watch: 'odd/checkpoints' });
    expect(status).toBe(422);
    expect(code).toMatch(/shape|architecture|mismatch|tensor/);
    expect(pointer).toMatch(/^\/recipe/);
  });

  it('does not feed itself, not even by way of another one', async () => {
    expect(await refused({ watch: 'bad/merged' })).toEqual([422, 'trigger_loop', '/output']);
    expect((await create('loop', { watch: 'loop/a', output: 'loop/b' })).status).toBe(201);
    expect((await create('loop2', { watch: 'loop/b', output: 'loop/c' })).status).toBe(201);
    expect(await refused({ watch: 'loop/c', output: 'loop/a' })).toEqual([422, 'trigger_loop', '/output']);
  });

  it('has a name of its own, is found by it and by its id, and is made once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'made-once' };
    const body = { name: 'named', recipe, watch: 'named/checkpoints', output: 'named/merged' };
    const made = await client.post('/v1/triggers', body, headers);
    expect(made.status).toBe(201);
    expect((await client.post('/v1/triggers', body, headers)).body).toEqual(made.body);
    const again = await create('named');
    expect([again.status, again.body['code']]).toEqual([409, 'trigger_exists']);
    expect((await client.get(`/v1/triggers/${String(made.body['id'])}`)).body).toEqual(made.body);
    const list = await client.get('/v1/triggers?watch=named%2Fcheckpoints');
    expect(list.body['items']).toEqual([made.body]);
    const first = await client.get('/v1/triggers?limit=1');
    expect(first.body['items']).toHaveLength(1);
    const next = await client.get(`/v1/triggers?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(next.body['items']).not.toEqual(first.body['items']);
  });

  it('is gone when it is deleted, and starts nothing more', async () => {
    expect((await create('gone')).status).toBe(201);
    const { status } = await fetch(`${api.url}/v1/triggers/gone`, { method: 'DELETE' });
    expect(status).toBe(204);
    for (const path of ['', '/runs']) {
      const { body } = await client.get(`/v1/triggers/gone${path}`);
      expect(body['code']).toBe('trigger_not_found');
    }
    expect((await client.post('/v1/triggers/gone/disable')).body['code']).toBe('trigger_not_found');
  });
});

describe('disabling', () => {
  it('stops everything that has not begun; enabling goes on with it, not with what came in between', async () => {
    await create('stop');
    await step('stop', 0);
    expect((await client.post('/v1/triggers/stop/disable')).body).toMatchObject({ enabled: false });
    const before = await listRuns('stop');
    expect(before.map(({ checkpoint }) => checkpoint)).toEqual(['stop/checkpoints@1']);
    await step('stop', 1);
    expect((await client.post('/v1/triggers/stop/back-fills')).body).toMatchObject({ code: 'trigger_disabled' });
    expect((await client.post('/v1/triggers/stop/enable')).body).toMatchObject({ enabled: true });
    await step('stop', 2);
    const runs = await untilRuns('stop', 2);
    expect(runs.map(({ checkpoint }) => checkpoint)).toEqual(['stop/checkpoints@3', 'stop/checkpoints@1']);
  }, 120_000);
});

describe('a back-fill', () => {
  const fill = (body: object = {}) => client.post('/v1/triggers/fill/back-fills', body);

  it('merges what was there before, each once, and leaves the alias with the newest', async () => {
    for (const number of [0, 1, 2, 1]) await step('fill', number);
    await create('fill', { alias: 'best' });
    expect(await listRuns('fill')).toEqual([]);

    const dry = await fill({ dryRun: true });
    expect([dry.status, dry.body['queued']]).toEqual([200, 3]);
    expect(dry.body['items']).toEqual([
      ...[1, 2, 3].map((version) => ({
        ...{ checkpoint: `fill/checkpoints@${version}`, action: 'queue', failure: null },
        ...{ outputBytes: expect.any(Number), readBytes: expect.any(Number) },
      })),
      expect.objectContaining({ checkpoint: 'fill/checkpoints@4', action: 'known' }),
    ]);
    expect(await listRuns('fill')).toEqual([]);

    await step('fill', 3);
    await untilRuns('fill', 1);
    const part = await fill({ from: 2, to: 3 });
    expect([part.status, part.body['queued']]).toEqual([202, 2]);
    await untilRuns('fill', 3);
    expect((await fill()).body).toMatchObject({ queued: 1 });
    const runs = await untilRuns('fill', 4);
    expect(runs.map(({ checkpoint, origin }) => `${checkpoint} ${origin}`)).toEqual([
      ...['fill/checkpoints@5 arrival', 'fill/checkpoints@3 back-fill', 'fill/checkpoints@2 back-fill'],
      'fill/checkpoints@1 back-fill',
    ]);
    expect((await fill()).body).toMatchObject({ queued: 0 });
    const best = (await versionsOf('fill/merged')).find(({ aliases }) => aliases.includes('best'));
    expect(best?.reference).toBe('fill/merged@1');
  }, 240_000);

  it('says which range is not one', async () => {
    const { status, body } = await fill({ from: 0 });
    expect([status, body['code']]).toEqual([400, 'invalid_request']);
  });
});

describe('a checkpoint that cannot be merged', () => {
  it('is refused with its reason, and the next one is merged', async () => {
    await create('odd2');
    await client.push('odd2/checkpoints', syntheticModel({ layers: 1, layerBytes: 1_000, seed: 1 }));
    await step('odd2', 1);
    await until(
      'both have ended',
      async () => (await listRuns('odd2')).filter(({ state }) => /refused|succeeded/.test(state)).length === 2,
      90,
    );
    const [second, first] = await listRuns('odd2');
    expect(first).toMatchObject({ state: 'refused', merge: null, failure: { code: expect.any(String) } });
    expect(second).toMatchObject({ state: 'succeeded', version: 'odd2/merged@1' });
    expect((await client.post('/v1/triggers/odd2/back-fills', { dryRun: true })).body).toMatchObject({
      items: [{ action: 'refuse', failure: { code: first?.failure?.code } }, { action: 'known' }],
    });
  }, 120_000);
});
