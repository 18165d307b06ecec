import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { S3Store } from '../../src/storage/s3.js';
import { until } from '../support/child-server.js';
import { describeWith } from '../support/environment.js';
import { HttpClient, type ServerEvent } from '../support/http-client.js';
import { type ProductionHome, startProductionHome } from '../support/production-home.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { syntheticModel } from '../support/synthetic-model.js';

const layers = 20;
const layerBytes = 4_000_000;
const recipe = (weight: number) => ({
  merge_method: 'linear',
  models: [
    { model: 'team/one', parameters: { weight } },
    { model: 'team/two', parameters: { weight: 0.5 } },
  ],
});

interface ShardEvent {
  index?: number;
  state?: string;
  attempt?: number;
  worker?: string;
}
const shardOf = ({ type, data }: ServerEvent): ShardEvent => (type === 'shard' ? (data['data'] as ShardEvent) : {});

describeWith(['database', 's3'], 'PostgreSQL, Redis and S3', () => {
  let home: ProductionHome;
  let database: pg.Client;
  let api: ServiceProcess;
  let client: HttpClient;
  let directory: string;
  const workers: ServiceProcess[] = [];

  const settings = (name: string): Record<string, string> => ({
    ...home.settings,
    AMALGAM_DATA_DIR: join(directory, name),
    AMALGAM_THREADS: '1',
  });
  const startApi = async (): Promise<void> => {
    api = await startService(settings('api'), 'api');
    client = new HttpClient(api.url);
  };
  const startWorker = async (): Promise<ServiceProcess> => {
    const worker = await startService(settings(`worker-${workers.length}`), 'worker');
    workers.push(worker);
    return worker;
  };
  const kill = async (process: ServiceProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    process.kill(signal);
    await process.exited;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-workers-'));
    home = await startProductionHome();
    database = new pg.Client({ connectionString: home.schema.url, options: `-c search_path=${home.schema.schema}` });
    await database.connect();
    await startApi();
    await client.push('team/one', syntheticModel({ layers, layerBytes, seed: 1 }));
    await client.push('team/two', syntheticModel({ layers, layerBytes, seed: 2 }));
  }, 120_000);

  afterAll(async () => {
    await kill(api);
    await database.end();
    await home.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  beforeEach(() => void workers.splice(0));
  afterEach(async () => {
    for (const worker of workers) {
      worker.kill('SIGCONT');
      await kill(worker);
    }
  });

  /** Submits a merge that no test did before. */
  const submit = async (weight: number): Promise<string> => {
    const body = { recipe: recipe(weight), output: `team/w${weight * 100}`, shardBytes: layerBytes };
    const answer = await client.post('/v1/merges', body);
    expect(answer.status).toBe(202);
    return String(answer.body['id']);
  };

  /** The worker that has a shard of the merge now. */
  const ownerOf = async (id: string): Promise<string | undefined> => {
    const sql = `select owner from merge_shards where merge_id = $1 and state = 'running' limit 1`;
    const { rows } = await database.query<{ owner: string }>(sql, [id]);
    return rows[0]?.owner;
  };

  const expectDoneOnce = async (id: string, redone: number): Promise<void> => {
    const merge = await client.reach(id, ['succeeded'], 120);
    const [name = ''] = String(merge['version']).split('@');
    expect((await client.get(`/v1/models/${name}/versions`)).body['items']).toHaveLength(1);
    const shards = (await client.events(id)).map(shardOf);
    expect(shards.filter(({ state }) => state === 'done')).toHaveLength(layers);
    expect(shards.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(layers + redone);
    // Every stored object is one that the version has; what lost attempts left goes a minute later.
    const files = (await client.get(`/v1/models/${name}/versions/1`)).body['files'] as {
      path: string;
      bytes: number;
    }[];
    for (const { path, bytes } of files) {
      expect(await client.bytes(`/v1/models/${name}/versions/1/files/${path}`)).toHaveLength(bytes);
    }
  };

  test('two workers share one merge', async () => {
    await startWorker();
    await startWorker();
    const id = await submit(0.5);
    await expectDoneOnce(id, 0);
    const owners = (await client.events(id)).map((event) => shardOf(event).worker).filter(Boolean);
    expect(new Set(owners).size).toBe(2);
  }, 120_000);

  test('the same request five times at once is one merge', async () => {
    const body = { recipe: recipe(0.58), output: 'team/w58', shardBytes: layerBytes };
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.post('/v1/merges', body)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    const ids = new Set(answers.map((answer) => String(answer.body['id'])));
    expect(ids.size).toBe(1);
    await startWorker();
    for (const id of ids) await expectDoneOnce(id, 0);
  }, 120_000);

  test('a worker is killed: the other has its shard within 20 s', async () => {
    const first = await startWorker();
    const id = await submit(0.51);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    const dead = await ownerOf(id);
    await startWorker();
    await kill(first);
    const killed = performance.now();
    const sql = `select index from merge_shards where merge_id = $1 and owner = $2 and state = 'running'`;
    const { rows } = await database.query<{ index: number }>(sql, [id, dead]);
    for (const { index } of rows) {
      const again = (event: ServerEvent) => {
        const shard = shardOf(event);
        return shard.index === index && shard.state === 'running' && (shard.attempt ?? 0) > 1;
      };
      await client.events(id, { isEnough: again });
      expect(performance.now() - killed).toBeLessThan(20_000);
    }
    await expectDoneOnce(id, 1);
  }, 120_000);

  test('a worker that stood still for longer than its lease changes nothing when it goes on', async () => {
    const first = await startWorker();
    const id = await submit(0.52);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    const sql = `select index, attempt, owner from merge_shards where merge_id = $1 and state = 'running'`;
    let stale: { index: number; attempt: number; owner: string } | undefined;
    await until('the worker stands still with a shard in its hands', async () => {
      first.kill('SIGSTOP');
      [stale] = (await database.query<NonNullable<typeof stale>>(sql, [id])).rows;
      if (stale === undefined) first.kill('SIGCONT');
      return stale !== undefined;
    });
    await startWorker();
    await client.reach(id, ['succeeded'], 90);
    const before = await database.query('select * from merge_shards where merge_id = $1 order by index', [id]);
    first.kill('SIGCONT');
    const { index = -1, attempt = 0 } = stale ?? {};
    await until('it has noticed', () => /called off|had been given to another/.test(first.log()), 30);
    const after = await database.query('select * from merge_shards where merge_id = $1 order by index', [id]);
    expect(after.rows).toEqual(before.rows);
    const store = new S3Store(home.s3.config);
    await until('its object is gone', async () => {
      const keys = [];
      for await (const { key } of store.list(`merges/${id}/`)) keys.push(key);
      return !keys.includes(`merges/${id}/shard-${index}-${attempt}`);
    });
    await expectDoneOnce(id, 1);
  }, 150_000);

  test('a worker that stands still inside a transaction keeps no row from the others', async () => {
    const first = await startWorker();
    const id = await submit(0.59);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    // Whoever takes or finishes a shard now waits for this lock, and gets it while it cannot use it.
    const holder = new pg.Client({
      connectionString: home.schema.url,
      options: `-c search_path=${home.schema.schema}`,
    });
    await holder.connect();
    let pid: number | undefined;
    try {
      await holder.query('begin');
      const { rows } = await holder.query<{ pid: number }>(
        'select pg_backend_pid() as pid from merges where id = $1 for update',
        [id],
      );
      // A statement that is a transaction by itself would let go of the lock at once.
      const waiting = `select pid from pg_stat_activity
        where $1 = any(pg_blocking_pids(pid)) and xact_start < query_start`;
      await until('it waits', async () => {
        pid = (await database.query<{ pid: number }>(waiting, [rows[0]?.pid])).rows[0]?.pid;
        return pid !== undefined;
      });
      first.kill('SIGSTOP');
    } finally {
      await holder.end();
    }
    const held = `select 1 from pg_stat_activity where pid = $1 and state = 'idle in transaction'`;
    await until('it has the lock', async () => (await database.query(held, [pid])).rowCount === 1);
    await startWorker();
    await client.reach(id, ['succeeded'], 60);
    first.kill('SIGCONT');
    await until('it has noticed', () => /idle-in-transaction|An attempt at a shard failed/.test(first.log()));
    await expectDoneOnce(id, 1);
  }, 120_000);

  test('Redis loses everything and goes away: the sweep does without', async () => {
    await startWorker();
    home.redis.kill('SIGKILL');
    await home.redis.exited;
    const id = await submit(0.53);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    await home.redis.restart();
    await expectDoneOnce(id, 0);
  }, 120_000);

  test('the store goes away and comes back: the shard waits and is tried again', async () => {
    await startWorker();
    const id = await submit(0.57);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    home.s3.kill('SIGKILL');
    await home.s3.exited;
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'pending' });
    await home.s3.restart();
    await expectDoneOnce(id, 2);
    const waits = (await client.events(id)).filter((event) => shardOf(event).state === 'pending');
    expect(waits[0]?.data['data']).toMatchObject({ code: 'storage_unavailable' });
  }, 120_000);

  test('the API is killed right after the 202, and comes back to a merge that is done', async () => {
    await startWorker();
    const id = await submit(0.54);
    await kill(api);
    await startApi();
    await expectDoneOnce(id, 0);
  }, 120_000);

  test('a worker is told to stop: it gives its shard back, and the next one loses no time', async () => {
    const first = await startWorker();
    const id = await submit(0.55);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    await startWorker();
    const begun = performance.now();
    await kill(first, 'SIGTERM');
    expect(performance.now() - begun).toBeLessThan(10_000);
    await expectDoneOnce(id, 1);
    const { rows } = await database.query<{ failures: number }>(
      'select sum(failures)::int as failures from merge_shards where merge_id = $1',
      [id],
    );
    expect(rows[0]?.failures).toBe(0);
  }, 120_000);

  test('a merge is cancelled in another process than the one that works on it', async () => {
    await startWorker();
    const id = await submit(0.56);
    await client.events(id, { isEnough: (event) => shardOf(event).state === 'done' });
    expect((await client.post(`/v1/merges/${id}/cancel`)).status).toBe(202);
    await client.reach(id, ['cancelled'], 15);
    expect(await ownerOf(id)).toBeUndefined();
    expect((await client.get('/v1/models/team/w56')).status).toBe(404);
  }, 60_000);
});
