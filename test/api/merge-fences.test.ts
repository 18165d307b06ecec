import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Finalizations } from '../../src/merges/finalizations.js';
import { MergeEvents } from '../../src/merges/merge-events.js';
import { failMerge, finishCancelled, finishShards } from '../../src/merges/merge-steps.js';
import { ShardLeases } from '../../src/merges/shard-leases.js';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../support/embedded-database.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

const stored = { sha256: 'a'.repeat(64), bytes: 10, objectKey: 'merges/x/shard-0-1', reports: [] };

let database: EmbeddedDatabase;
let source: DataSource;
let leases: ShardLeases;
let finalizations: Finalizations;
let events: MergeEvents;
let mergeId: string;

beforeAll(async () => {
  database = await openEmbeddedDatabase();
  source = database.dataSource;
  leases = new ShardLeases(source);
  finalizations = new Finalizations(source);
  events = new MergeEvents(source);
}, 60_000);

afterAll(() => database.close());

/** A queued merge with two shards, the only one there is. */
beforeEach(async () => {
  await source.query('delete from merges');
  mergeId = randomUUID();
  await source.query(
    `insert into merges (id, state, output_namespace, output_name, recipe, pinned_recipe, seed, shard_bytes, labels,
                         device, plan, plan_digest, summary, created_by)
     values ($1, 'queued', 'team', 'x', '{}', '{}', 0, 65536, '{}', 'auto', '{}', $2, '{}', 'test')`,
    [mergeId, 'd'.repeat(64)],
  );
  await source.query(
    `insert into merge_shards (merge_id, index, file_name, planned_bytes) values ($1, 0, 'a', 10), ($1, 1, 'b', 10)`,
    [mergeId],
  );
});

const endLeases = () =>
  source.query(`update merge_shards set lease_until = now() - interval '1 second' where owner is not null`);
const claim = async (owner: string) => {
  const claimed = await leases.claim(owner, 'cpu');
  if (!claimed) throw new Error('nothing to claim');
  return claimed;
};

describe('leases of shards', () => {
  test('a shard has one owner, however many ask at once', async () => {
    const claims = await Promise.all(Array.from({ length: 8 }, (_unused, at) => leases.claim(`w${at}`, 'cpu')));
    const taken = claims.filter((each) => each !== undefined);
    expect(taken.map(({ index }) => index).sort()).toEqual([0, 1]);
    expect(taken.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test('a stale owner can neither renew, commit nor give back', async () => {
    const stale = await claim('stale');
    await endLeases();
    expect(await leases.listExpired(false)).toEqual([mergeId]);
    expect(await leases.reclaim(source.manager, mergeId, false)).toEqual([{ index: 0, attempt: 1, failures: 1 }]);
    const fresh = await claim('fresh');
    expect(fresh).toMatchObject({ index: stale.index, attempt: 2 });
    expect(await leases.renew(stale)).toBe('lost');
    expect(await leases.commit(source.manager, stale, stored)).toBe(false);
    expect(await leases.release(source.manager, stale)).toBeUndefined();
    expect(await leases.commit(source.manager, fresh, stored)).toBe(true);
    expect(await leases.commit(source.manager, fresh, stored)).toBe(false);
  });

  test('nor can the same owner with an older attempt', async () => {
    const first = await claim('same');
    await leases.release(source.manager, first);
    const second = await claim('same');
    expect(await leases.commit(source.manager, first, stored)).toBe(false);
    expect(await leases.commit(source.manager, second, stored)).toBe(true);
  });

  test('a live lease is nobody else’s, and a renewed one lives', async () => {
    const held = await claim('alive');
    await endLeases();
    expect(await leases.renew(held)).toBe('held');
    expect(await leases.listExpired(false)).toEqual([]);
    expect(await leases.listExpired(true)).toEqual([mergeId]);
  });

  test('a shard that waits after a failure is not taken before its time', async () => {
    const first = await claim('one');
    await leases.release(source.manager, first, { failed: true, waitSeconds: 60 });
    expect((await claim('two')).index).toBe(1);
    expect(await leases.claim('two', 'cpu')).toBeUndefined();
  });

  test('what nobody wants any more is told at the next heartbeat, and not given out', async () => {
    const held = await claim('busy');
    await source.query('update merges set cancel_requested_at = now() where id = $1', [mergeId]);
    expect(await leases.renew(held)).toBe('stop');
    expect(await leases.claim('other', 'cpu')).toBeUndefined();
    expect(await leases.listUnannounced(10)).toEqual([]);
  });

  test('a pool takes only what may run on it', async () => {
    await source.query(`update merges set device = 'gpu'`);
    expect(await leases.claim('w', 'cpu')).toBeUndefined();
    expect(await leases.claim('w', 'gpu')).toMatchObject({ index: 0 });
  });

  test('each announcement of a shard has a new number', async () => {
    const first = await leases.listUnannounced(10);
    expect(first.map(({ index, announcement }) => [index, announcement]).sort()).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(await leases.listUnannounced(10)).toEqual([]);
    await source.query('update merge_shards set announced_at = null where index = 1');
    expect(await leases.listUnannounced(10)).toEqual([{ mergeId, index: 1, attempt: 0, announcement: 2 }]);
  });
});

describe('the life of a merge', () => {
  const state = async () => (await source.query<{ state: string }[]>('select state from merges'))[0]?.state;

  test('moves to finalizing with the last shard, and to no version without the lease', async () => {
    for (const owner of ['one', 'two']) {
      const held = await claim(owner);
      await events.changing(mergeId, async (manager) => {
        await events.move(manager, mergeId, 'start');
        await leases.commit(manager, held, stored);
        await finishShards(manager, events, mergeId);
      });
    }
    expect(await state()).toBe('finalizing');
    const stale = await finalizations.claim('stale');
    if (!stale) throw new Error('nothing to finalize');
    expect(await finalizations.claim('other')).toBeUndefined();
    await source.query(`update merges set lease_until = now() - interval '1 second'`);
    const fresh = await finalizations.claim('other');
    expect(fresh?.attempt).toBe(2);
    expect(await finalizations.renew(stale)).toBe(false);
    expect(await finalizations.lock(source.manager, stale)).toBe(false);
    expect(fresh && (await finalizations.lock(source.manager, fresh))).toBe(true);
    await source.query('update merges set cancel_requested_at = now()');
    expect(fresh && (await finalizations.lock(source.manager, fresh))).toBe(false);
    const types = (await events.list(mergeId, 0)).map(({ seq, type }) => [seq, type]);
    expect(types).toEqual([
      [1, 'running'],
      [2, 'finalizing'],
    ]);
  });

  test('a cancellation waits for whoever works, and not for the dead', async () => {
    await claim('busy');
    await source.query('update merges set cancel_requested_at = now() where id = $1', [mergeId]);
    expect(await finishCancelled(source.manager, events, mergeId)).toBe(false);
    await endLeases();
    expect(await finishCancelled(source.manager, events, mergeId)).toBe(true);
    expect(await state()).toBe('cancelled');
  });

  test('what has ended does not end again', async () => {
    await failMerge(source.manager, events, mergeId, { code: 'storage_full', detail: 'full' });
    expect(await state()).toBe('failed');
    await failMerge(source.manager, events, mergeId, { code: 'worker_lost', detail: 'lost' });
    const [row] = await source.query<{ failure: object; finished_at: Date | null }[]>(
      'select failure, finished_at from merges',
    );
    expect(row?.failure).toEqual({ code: 'storage_full', detail: 'full' });
    expect(row?.finished_at).toBeInstanceOf(Date);
    expect(await events.move(source.manager, mergeId, 'cancel')).toBeUndefined();
    expect(await events.list(mergeId, 0)).toHaveLength(1);
  });

  test('a twin of a living merge is not let in; of an ended one it is', async () => {
    const twin = () =>
      source.query<unknown[]>(
        `insert into merges select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'state', 'queued'))).*
         from merges m where id = $1 on conflict do nothing returning id`,
        [mergeId],
      );
    expect(await twin()).toHaveLength(0);
    await failMerge(source.manager, events, mergeId, { code: 'worker_lost', detail: 'lost' });
    expect(await twin()).toHaveLength(1);
  });

  test('events of many writers have no gap and come in order', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_unused, at) =>
        events.changing(mergeId, (manager) => events.append(manager, mergeId, 'shard', { at })),
      ),
    );
    expect((await events.list(mergeId, 0)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 20 }, (_unused, at) => at + 1),
    );
    const followed: number[] = [];
    for await (const { seq } of events.follow(mergeId, 18, AbortSignal.timeout(200))) followed.push(seq);
    expect(followed).toEqual([19, 20]);
  });
});
