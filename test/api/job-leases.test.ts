import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type JobClaim, JobLeases, JobLost } from '../../src/platform/job-leases.js';
import { PublicationLeases } from '../../src/publishing/publication-leases.js';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../support/embedded-database.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

let database: EmbeddedDatabase;
let source: DataSource;
let leases: JobLeases;

/** Jobs whose state, and whether anybody wants them, are in another table: the furthest that the options go. */
beforeAll(async () => {
  database = await openEmbeddedDatabase();
  source = database.dataSource;
  await source.query(
    `create table orders (id text primary key, state text not null, cancel_requested_at timestamptz, place int not null)`,
  );
  await source.query(
    `create table works (order_id text primary key references orders (id) on delete cascade, attempt int not null default 0,
                         owner text, lease_until timestamptz, failures int not null default 0, done_bytes bigint)`,
  );
  const order = (condition: string) => `exists (select 1 from orders o where o.id = job.order_id and ${condition})`;
  leases = new JobLeases(source, {
    ...{ table: 'works', name: 'work', key: 'order_id' },
    hasWork: order(`o.state = 'open'`),
    isWanted: order('o.cancel_requested_at is null'),
    order: '(select o.place from orders o where o.id = job.order_id)',
  });
}, 60_000);

afterAll(() => database.close());

beforeEach(async () => {
  await source.query('delete from orders');
  await source.query(
    `insert into orders (id, state, place) values ('b', 'open', 1), ('a', 'open', 2), ('c', 'done', 0)`,
  );
  await source.query(`insert into works (order_id) values ('a'), ('b'), ('c')`);
});

const claim = async (owner: string): Promise<JobClaim> => {
  const claimed = await leases.claim(owner);
  if (!claimed) throw new Error('nothing to claim');
  return claimed;
};
const endLeases = () => source.query(`update works set lease_until = now() - interval '1 second'`);
const cancel = (id: string) => source.query('update orders set cancel_requested_at = now() where id = $1', [id]);

test('a job has one owner, however many ask at once, and they go in their order', async () => {
  const claims = await Promise.all(Array.from({ length: 6 }, (_unused, at) => leases.claim(`w${at}`)));
  expect(claims.map((each) => each?.id)).toEqual(['b', 'a', ...Array<undefined>(4).fill(undefined)]);
  expect(claims[0]).toEqual({ id: 'b', attempt: 1, owner: 'w0', failures: 0 });
});

test('a stale owner can neither renew, lock, tell progress nor give back', async () => {
  const stale = await claim('stale');
  await endLeases();
  const fresh = await claim('fresh');
  expect(fresh).toEqual({ id: 'b', attempt: 2, owner: 'fresh', failures: 1 });
  expect(await leases.renew(stale)).toBe('lost');
  await expect(leases.lock(source.manager, stale)).rejects.toThrow(JobLost);
  await leases.progress(stale, 5, true);
  expect(await leases.release(source.manager, stale, true)).toBeUndefined();
  expect(await source.query(`select owner, failures, done_bytes from works where order_id = 'b'`)).toEqual([
    { owner: 'fresh', failures: 1, done_bytes: null },
  ]);
  expect(await leases.renew(fresh)).toBe('held');
  await leases.lock(source.manager, fresh);
});

test('what nobody wants any more is not taken, and whoever has it is told to stop', async () => {
  const held = await claim('w');
  await cancel('b');
  await cancel('a');
  expect(await leases.renew(held)).toBe('stop');
  await expect(leases.lock(source.manager, held)).rejects.toThrow("work b is not this attempt's any more");
  expect(await leases.claim('x')).toBeUndefined();
});

test('failures count until something is achieved, and a job that is postponed is nobody’s for a while', async () => {
  const first = await claim('w');
  expect(await leases.release(source.manager, first, true)).toBe(1);
  const second = await claim('w');
  expect(second).toMatchObject({ id: 'b', failures: 1 });
  await leases.progress(second, 7, true);
  expect(await leases.release(source.manager, second, false)).toBe(0);
  await leases.postpone(source.manager, second, 600);
  expect((await claim('w')).id).toBe('a');
  await leases.releaseAll();
  expect((await claim('w')).id).toBe('a');
});

test('of one repository one publication at a time, the first that was asked for', async () => {
  const publications = new PublicationLeases(source);
  const model = randomUUID();
  const version = randomUUID();
  await source.query(`insert into models (id, namespace, name) values ($1, 'team', 'x')`, [model]);
  await source.query(
    `insert into versions (id, model_id, version, digest, origin, created_by)
     values ($1, $2, 1, $3, 'upload', 'test')`,
    [version, model, 'd'.repeat(64)],
  );
  const add = async (repository: string, second: number) => {
    const id = randomUUID();
    await source.query(
      `insert into publications (id, state, version_id, repository, revision, options, created_by, created_at)
       values ($1, 'queued', $2, $3, 'main', '{}', 'test', $4)`,
      [id, version, repository, new Date(second * 1_000)],
    );
    return id;
  };
  const later = await add('team/one', 2);
  const earlier = await add('team/one', 1);
  const other = await add('team/two', 3);
  expect((await publications.claim('w'))?.id).toBe(earlier);
  expect((await publications.claim('w'))?.id).toBe(other);
  expect(await publications.claim('w')).toBeUndefined();
  await source.query(`update publications set state = 'failed' where id = $1`, [earlier]);
  expect((await publications.claim('w'))?.id).toBe(later);
});
