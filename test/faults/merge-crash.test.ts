import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient, type ServerEvent } from '../support/http-client.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { syntheticModel } from '../support/synthetic-model.js';

const layers = 24;
const layerBytes = 4_000_000;
const request = {
  recipe: {
    merge_method: 'linear',
    models: [
      { model: 'team/one', parameters: { weight: 0.5 } },
      { model: 'team/two', parameters: { weight: 0.5 } },
    ],
  },
  output: 'team/merged',
  // A shard a layer: a process is caught between two of them, or within one.
  shardBytes: layerBytes,
};

let directory: string;
let service: ServiceProcess;
let client: HttpClient;

const start = async (): Promise<void> => {
  service = await startService({ AMALGAM_DATA_DIR: directory });
  client = new HttpClient(service.url);
};
const kill = async (signal: NodeJS.Signals): Promise<void> => {
  service.kill(signal);
  await service.exited;
};

interface ShardEvent {
  index?: number;
  state?: string;
  attempt?: number;
}
const shardOf = ({ type, data }: ServerEvent): ShardEvent => (type === 'shard' ? (data['data'] as ShardEvent) : {});
/** Ends a stream at the n-th event that a predicate takes. */
const nth = (count: number, takes: (event: ServerEvent) => boolean) => {
  let left = count;
  return (event: ServerEvent) => takes(event) && --left === 0;
};

async function digests(name: string): Promise<string[]> {
  const version = (await client.get(`/v1/models/${name}/versions/1`)).body;
  return (version['files'] as { path: string; sha256: string }[])
    .filter(({ path }) => path.endsWith('.safetensors'))
    .map(({ sha256 }) => sha256);
}

/** What holds however a merge was interrupted: one version, and no shard that was done was done again. */
async function expectDoneOnce(id: string, crashes: number): Promise<void> {
  const merge = await client.reach(id, ['succeeded'], 90);
  expect(merge['version']).toBe('team/merged@1');
  expect((await client.get('/v1/models/team/merged/versions')).body['items']).toHaveLength(1);
  const shards = (await client.events(id)).map(shardOf);
  expect(shards.filter(({ state }) => state === 'done')).toHaveLength(layers);
  expect(shards.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(layers + crashes);
  // The same merge without a crash, of other shards' size by name only, has the same bytes.
  const straight = await client.post('/v1/merges', { ...request, output: 'team/straight', shardBytes: layerBytes + 1 });
  await client.reach(String(straight.body['id']), ['succeeded'], 60);
  expect(await digests('team/merged')).toEqual(await digests('team/straight'));
}

describe('the embedded home', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-crash-'));
    await start();
    await client.push('team/one', syntheticModel({ layers, layerBytes, seed: 1 }));
    await client.push('team/two', syntheticModel({ layers, layerBytes, seed: 2 }));
  }, 60_000);

  afterEach(async () => {
    await kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  test('killed right after the 202, the merge is not lost', async () => {
    const { status, body } = await client.post('/v1/merges', request);
    expect(status).toBe(202);
    await kill('SIGKILL');
    await start();
    await expectDoneOnce(String(body['id']), 1);
  }, 120_000);

  test('killed again and again, the merge goes on where it was and ends once', async () => {
    const id = String((await client.post('/v1/merges', request)).body['id']);
    const points = [
      nth(3, (event) => shardOf(event).state === 'done'),
      nth(9, (event) => shardOf(event).state === 'running'),
      nth(16, (event) => shardOf(event).state === 'done'),
      nth(1, ({ type }) => type === 'finalizing'),
    ];
    for (const isEnough of points) {
      await client.events(id, { isEnough });
      await kill('SIGKILL');
      await start();
      // At once: the new holder of the directory knows that its predecessor is dead.
      expect(service.log()).not.toContain('failed; it will be tried again');
    }
    await expectDoneOnce(id, points.length);
  }, 240_000);

  test('told to stop, it gives its shard back, ends well, and goes on after a restart', async () => {
    const id = String((await client.post('/v1/merges', request)).body['id']);
    await client.events(id, { isEnough: nth(4, (event) => shardOf(event).state === 'running') });
    const begun = performance.now();
    await kill('SIGTERM');
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await readdir(join(directory, 'scratch')).catch(() => [])).toEqual([]);
    await start();
    expect(service.log()).not.toContain('A worker was lost');
    await expectDoneOnce(id, 1);
  }, 120_000);
});
