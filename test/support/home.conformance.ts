import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { loadConfig } from '../../src/config.js';
import { type Database, dataSourceOptions, openDatabase, openDataSource } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { type Announcement, MergeQueue } from '../../src/platform/queue.js';
import { until } from './child-server.js';

class Things1790000000000 implements MigrationInterface {
  name = 'Things1790000000000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE things (id int PRIMARY KEY, big bigint, data jsonb, at timestamptz DEFAULT now())`,
    );
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE things`);
  }
}

/** What both homes of the service do alike. `settings` name the home; the queue's prefix is the test's own. */
export function describeHome(
  name: string,
  open: () => Promise<{ settings: Record<string, string>; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let database: Database;
    let dataSource: DataSource;
    let queue: MergeQueue;
    let config: ReturnType<typeof loadConfig>;
    let end: () => Promise<void>;
    const logger = createLogger('silent');
    const clients: Client[] = [];

    beforeAll(async () => {
      const home = await open();
      ({ end } = home);
      const prefix = `test-${String(process.pid)}-${String(Date.now())}`;
      config = loadConfig({ ...home.settings, AMALGAM_QUEUE_PREFIX: prefix });
      database = await openDatabase(config);
      const options = () => dataSourceOptions(database, [], [Things1790000000000]);
      // Several processes may start on PostgreSQL at once; an embedded database has one.
      const starters = database.embedded ? [1] : [1, 2, 3];
      const opened = await Promise.all(starters.map(() => openDataSource(database, options())));
      [dataSource] = opened as [DataSource];
      for (const each of opened.slice(1)) await each.destroy();
      queue = await MergeQueue.open(config.queue, database, logger);
    }, 60_000);

    afterAll(async () => {
      await queue.close();
      await Promise.all(clients.map((client) => client.end()));
      await dataSource.destroy();
      await database.close();
      await end();
    }, 30_000);

    const client = async (): Promise<Client> => {
      const connected = new database.driver.Client(database.poolConfig());
      await connected.connect();
      clients.push(connected);
      return connected;
    };
    const count = async (id: number) => {
      const [row] = await dataSource.query<[{ n: string }]>('SELECT count(*) AS n FROM things WHERE id = $1', [id]);
      return Number(row.n);
    };

    test('migrated once, however many started at once', async () => {
      expect(await dataSource.query('SELECT name FROM migrations')).toEqual([{ name: 'Things1790000000000' }]);
    });

    test('speaks one dialect of values', async () => {
      const data = { a: [1, 'x', null], 'é"\\': { deep: true } };
      const at = new Date('2026-01-02T03:04:05.678Z');
      const insert = 'INSERT INTO things VALUES ($1, $2, $3, $4) RETURNING *';
      const [row] = await dataSource.query<[Record<string, unknown>]>(insert, [
        1,
        '9007199254740993',
        JSON.stringify(data),
        at,
      ]);
      expect(row).toEqual({ id: 1, big: '9007199254740993', data, at });
      const [other] = await dataSource.query<[Record<string, unknown>]>(
        `SELECT count(*) AS n, sum(2)::bigint AS s, 0.5::float8 AS f, 1.50::numeric AS d, $1::text[] AS t, $2::bytea AS b, true AS y, NULL AS z`,
        [['a', 'b,"c"'], Buffer.from([0, 255])],
      );
      expect(other).toEqual({
        n: '1',
        s: '2',
        f: 0.5,
        d: '1.50',
        t: ['a', 'b,"c"'],
        b: Buffer.from([0, 255]),
        y: true,
        z: null,
      });
    });

    test('counts the rows that a statement touched', async () => {
      const runner = dataSource.createQueryRunner();
      const result = await runner.query('UPDATE things SET big = 1 WHERE id = 999', [], true);
      await runner.release();
      expect(result.affected).toBe(0);
    });

    test('reports errors by their SQLSTATE and goes on', async () => {
      await dataSource.query('INSERT INTO things (id) VALUES (2)');
      await expect(dataSource.query('INSERT INTO things (id) VALUES (2)')).rejects.toMatchObject({
        code: '23505',
        constraint: 'things_pkey',
      });
      await expect(dataSource.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
      expect(await count(2)).toBe(1);
    });

    test('takes back what a failed transaction did', async () => {
      const undone = dataSource.transaction(async (manager) => {
        await manager.query('INSERT INTO things (id) VALUES (3)');
        throw new Error('on purpose');
      });
      await expect(undone).rejects.toThrow('on purpose');
      expect(await count(3)).toBe(0);
    });

    test('keeps a failed inner transaction from the outer one', async () => {
      await dataSource.transaction(async (outer) => {
        await outer.query('INSERT INTO things (id) VALUES (4)');
        await outer.transaction((inner) => inner.query('INSERT INTO things (id) VALUES (4)')).catch(() => undefined);
      });
      expect(await count(4)).toBe(1);
    });

    test('shows nobody else what a transaction has not committed', async () => {
      const [writer, reader] = [await client(), await client()];
      await writer.query('BEGIN');
      await writer.query('INSERT INTO things (id) VALUES (5)');
      const read = reader.query<{ n: number }>('SELECT count(*)::int AS n FROM things WHERE id = 5');
      await writer.query('ROLLBACK');
      expect((await read).rows[0]?.n).toBe(0);
    });

    test('ends the transaction of a client that goes', async () => {
      const leaver = new database.driver.Client(database.poolConfig());
      await leaver.connect();
      await leaver.query('BEGIN');
      await leaver.query('INSERT INTO things (id) VALUES (6)');
      await leaver.end();
      expect(await count(6)).toBe(0);
    });

    test('serves many transactions at once', async () => {
      const ids = Array.from({ length: 40 }, (_, i) => 100 + i);
      await Promise.all(
        ids.map((id) =>
          dataSource.transaction(async (manager) => {
            await manager.query('INSERT INTO things (id, big) VALUES ($1, 0)', [id]);
            await manager.query('UPDATE things SET big = big + id WHERE id = $1', [id]);
          }),
        ),
      );
      const sum = await dataSource.query<unknown>(
        'SELECT sum(big)::int AS sum FROM things WHERE id BETWEEN 100 AND 139',
      );
      expect(sum).toEqual([{ sum: ids.reduce((a, b) => a + b) }]);
    });

    test('notifies every client that listens, once the transaction committed', async () => {
      const [one, two, deaf] = [await client(), await client(), await client()];
      const heard: string[] = [];
      for (const [label, each] of Object.entries({ one, two, deaf })) {
        each.on('notification', ({ channel, payload }) => heard.push(`${label} ${channel} ${payload ?? ''}`));
      }
      await one.query('LISTEN bell');
      await two.query('LISTEN bell');
      await dataSource.transaction(async (manager) => {
        await manager.query(`SELECT pg_notify('bell', 'ding')`);
        expect(heard).toEqual([]);
      });
      await dataSource
        .transaction((manager) => manager.query(`SELECT pg_notify('bell', 'never'); SELECT 1/0`))
        .catch(() => undefined);
      await until('both heard', () => heard.length >= 2);
      expect(heard.sort()).toEqual(['one bell ding', 'two bell ding']);
    });

    test('announces, and announces again while the first is still looked at', async () => {
      const heard: Announcement[] = [];
      let aborted = false;
      await queue.onAnnounced(async (announcement, signal) => {
        heard.push(announcement);
        if (announcement.announcement !== 1) return;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted = true;
      }, 2);
      expect(await queue.announce('0c2a-0', 1, 1)).toBe(true);
      await until('the first is heard', () => heard.length === 1);
      expect(await queue.announce('0c2a-0', 1, 1)).toBe(true);
      expect(await queue.announce('0c2a-0', 1, 2)).toBe(true);
      await until('the second is heard', () => heard.length === 2);
      expect(heard).toEqual([
        { shardId: '0c2a-0', attempt: 1, announcement: 1 },
        { shardId: '0c2a-0', attempt: 1, announcement: 2 },
      ]);
      await queue.close();
      expect(aborted).toBe(true);
      expect(await queue.announce('0c2a-0', 1, 3)).toBe(false);
    }, 30_000);

    test('hears another process, and outlives a handler that fails', async () => {
      const processes = await Promise.all([1, 2].map(() => MergeQueue.open(config.queue, database, logger)));
      const [ringer, hearer] = processes;
      const heard: number[] = [];
      try {
        await hearer?.onAnnounced(({ announcement }) => {
          heard.push(announcement);
          return Promise.reject(new Error('on purpose'));
        });
        for (let n = 1; n <= 20; n += 1) await ringer?.announce('1d3b-0', 1, n);
        await until('all are heard', () => heard.length === 20);
      } finally {
        await Promise.all(processes.map((each) => each.close()));
      }
    }, 30_000);
  });
}
