import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config.js';
import { dataSourceOptions, openDatabase, openDataSource } from '../../src/platform/database.js';
import { entities, migrations } from '../../src/tables.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

let directory: string;
let service: ServiceProcess;
let client: HttpClient;

const start = async (): Promise<void> => {
  service = await startService({ AMALGAM_DATA_DIR: directory });
  client = new HttpClient(service.url);
};
const kill = async (): Promise<void> => {
  service.kill('SIGKILL');
  await service.exited;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amalgam-trigger-crash-'));
  await start();
  await pushSamples(client, ['base', 'sort']);
  const recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
  const made = await client.post('/v1/triggers', {
    ...{ name: 'sec', recipe, watch: 'sec/checkpoints', output: 'sec/merged' },
  });
  expect(made.status).toBe(201);
}, 120_000);
afterEach(async () => {
  await kill();
  await rm(directory, { recursive: true, force: true });
});

/** What a dead service left in its database. */
async function leftBehind(): Promise<{ versions: number; runs: number; merges: number }> {
  const database = await openDatabase(loadConfig({ AMALGAM_DATA_DIR: directory }));
  const dataSource = await openDataSource(database, dataSourceOptions(database, entities, migrations));
  const [row] = await dataSource.query<{ versions: number; runs: number; merges: number }[]>(
    `select (select count(*)::int from versions v join models m on m.id = v.model_id where m.namespace = 'sec' and m.name = 'checkpoints') as versions,
            (select count(*)::int from trigger_runs) as runs, (select count(*)::int from merges) as merges`,
  );
  await dataSource.destroy();
  await database.close();
  return row ?? { versions: 0, runs: 0, merges: 0 };
}

interface Run {
  checkpoint: string;
  state: string;
  version: string;
}
async function untilMerged(count: number): Promise<Run[]> {
  let runs: Run[] = [];
  await until(
    `${count} checkpoints are merged`,
    async () => {
      runs = (await client.get('/v1/triggers/sec/runs')).body['items'] as Run[];
      return runs.length === count && runs.every(({ state }) => state === 'succeeded');
    },
    90,
  );
  return runs;
}

test('killed between the completion of a checkpoint and its merge, the service makes the merge after all', async () => {
  // Mostly the first try: the service looks every two seconds.
  for (let attempt = 1; ; attempt += 1) {
    await client.push('sec/checkpoints', trainedSample('reverse', attempt));
    await kill();
    const left = await leftBehind();
    expect(left.versions).toBe(attempt);
    await start();
    await untilMerged(attempt);
    if (left.runs < attempt) {
      // Nothing but the version itself said that there was something to do.
      expect(left).toEqual({ versions: attempt, runs: attempt - 1, merges: attempt - 1 });
      break;
    }
    expect(attempt).toBeLessThan(8);
  }
}, 240_000);

test('killed at any moment, it merges each checkpoint once, in their order', async () => {
  const checkpoints = 5;
  for (let step = 1; step <= checkpoints; step += 1) {
    await client.push('sec/checkpoints', trainedSample('reverse', step));
    // From before it is noticed until after it is merged.
    await sleep(step * 600);
    await kill();
    await start();
  }
  const runs = await untilMerged(checkpoints);
  const numbers = [5, 4, 3, 2, 1];
  expect(runs.map(({ checkpoint }) => checkpoint)).toEqual(numbers.map((number) => `sec/checkpoints@${number}`));
  expect(runs.map(({ version }) => version)).toEqual(numbers.map((number) => `sec/merged@${number}`));
  expect((await client.get('/v1/models/sec/merged/versions')).body['items']).toHaveLength(checkpoints);
  expect((await client.get('/v1/merges')).body['items']).toHaveLength(checkpoints);
}, 240_000);
