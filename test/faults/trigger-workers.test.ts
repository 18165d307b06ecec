import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import { describeWith } from '../support/environment.js';
import { HttpClient } from '../support/http-client.js';
import { type ProductionHome, startProductionHome } from '../support/production-home.js';
import { pushSamples } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

describeWith(['database', 's3'], 'triggers on PostgreSQL, Redis and S3', () => {
  let home: ProductionHome;
  let client: HttpClient;
  let directory: string;
  const processes: ServiceProcess[] = [];

  let started = 0;
  const start = async (role: 'api' | 'worker'): Promise<ServiceProcess> => {
    const service = await startService(
      {
        ...home.settings,
        AMALGAM_DATA_DIR: join(directory, String((started += 1))),
        AMALGAM_THREADS: '1',
      },
      role,
    );
    processes.push(service);
    return service;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-triggers-'));
    home = await startProductionHome();
    client = new HttpClient((await start('api')).url);
    await Promise.all([start('api'), start('worker'), start('worker')]);
    await pushSamples(client, ['base', 'sort']);
  }, 120_000);

  afterAll(async () => {
    for (const each of processes) each.kill('SIGKILL');
    await Promise.all(processes.map(({ exited }) => exited));
    await home.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('four processes that all look, and one that dies, make one merge of each checkpoint', async () => {
    const recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
    const names = ['one', 'two'];
    for (const name of names) {
      const { status } = await client.post('/v1/triggers', {
        ...{ name, recipe, watch: 'team/checkpoints', output: `team/${name}`, retention: { keepLast: 1 } },
        // Another seed for each: else the second would find the first's result.
        seed: name.length + names.indexOf(name),
      });
      expect(status).toBe(201);
    }
    for (const step of [1, 2, 1, 3]) await client.push('team/checkpoints', trainedSample('reverse', step));
    processes[2]?.kill('SIGKILL');
    for (const name of names) {
      await until(
        `the three checkpoints are merged by ${name}`,
        async () => {
          const { body } = await client.get(`/v1/triggers/${name}`);
          const { succeeded, failed, refused } = body['runs'] as Record<string, number>;
          if (failed !== 0 || refused !== 0) throw new Error(await client.text(`/v1/triggers/${name}/runs`));
          return succeeded === 3;
        },
        120,
      );
      const { body } = await client.get(`/v1/models/team/${name}/versions`);
      expect(body['items']).toHaveLength(3);
      await until(
        'only the last has its weights',
        async () => {
          const { body: now } = await client.get(`/v1/models/team/${name}/versions`);
          const items = now['items'] as { version: number; weightsExpiredAt: string | null }[];
          return items.every(({ version, weightsExpiredAt }) => (weightsExpiredAt === null) === (version === 3));
        },
        60,
      );
    }
    // Both have the same bytes, and freed the others together.
    for (const name of names) {
      const path = `/v1/models/team/${name}/versions/3/files/model.safetensors`;
      expect((await client.bytes(path)).length).toBeGreaterThan(800_000);
    }
    expect((await client.get('/v1/merges')).body['items']).toHaveLength(6);
  }, 300_000);
});
