import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { openPglite, type EmbeddedPostgres } from './pglite.js';

let database: EmbeddedPostgres;
const clients: Client[] = [];

beforeAll(async () => {
  database = await openPglite();
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database.close();
});

async function connect(config?: { options: string }): Promise<Client> {
  const client = new database.Client(config);
  await client.connect();
  clients.push(client);
  return client;
}

test('fails a query beside the transaction that waits for it, naming both', async () => {
  const [inside, outside] = [await connect(), await connect()];
  await inside.query('BEGIN');
  await inside.query("SELECT 'the holder'");
  await expect(outside.query("SELECT 'the waiter'")).rejects.toMatchObject({
    code: '55P03',
    message: expect.stringMatching(/'the waiter'.*'the holder'.*use only its manager/),
  });
  await inside.query('COMMIT');
  await expect(outside.query('SELECT 1 AS one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
}, 20_000);

test.each([
  ['SET', 'set work_mem = 1000'],
  ['SET', '-- a comment\n SET SESSION search_path TO x'],
  ['advisory', 'SELECT pg_advisory_lock(1)'],
  ['advisory', 'SELECT pg_try_advisory_lock(1)'],
  ['LISTEN', 'UNLISTEN *'],
  ['COPY', 'COPY x FROM STDIN'],
  ['PREPARE', 'PREPARE x AS SELECT 1'],
])('refuses what belongs to a connection: %s', async (part, statement) => {
  const client = await connect();
  await expect(client.query(statement)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining(part),
  });
});

test('refuses named statements', async () => {
  const client = await connect();
  await expect(client.query({ name: 'x', text: 'SELECT 1' })).rejects.toMatchObject({ code: '0A000' });
});

test('lets a transaction set what ends with it', async () => {
  const client = await connect();
  await client.query('BEGIN');
  await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
  await client.query('SET LOCAL search_path TO pg_catalog');
  await client.query('COMMIT');
  const { rows } = await client.query('SHOW search_path');
  expect(rows).toEqual([{ search_path: 'public' }]);
});

test('gives each client its own search_path on the one session', async () => {
  const [one, two] = [await connect(), await connect({ options: '-c search_path=other' })];
  await one.query('CREATE SCHEMA other');
  await one.query('CREATE TABLE named AS SELECT 1 AS n');
  await two.query('CREATE TABLE named AS SELECT 2 AS n');
  for (let i = 0; i < 3; i += 1) {
    expect((await one.query('SELECT n FROM named')).rows).toEqual([{ n: 1 }]);
    expect((await two.query('SELECT n FROM named')).rows).toEqual([{ n: 2 }]);
  }
});

test('does not hold the session for a transaction that failed and was left', async () => {
  const [leaver, other] = [new database.Client(), await connect()];
  await leaver.connect();
  await leaver.query('BEGIN');
  await leaver.query('SELECT 1/0').catch(() => undefined);
  await leaver.end();
  expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('takes large parameters and gives large rows', async () => {
  const client = await connect();
  const text = 'é'.repeat(2 ** 21);
  const { rows } = await client.query<{ t: string }>('SELECT $1::text AS t', [text]);
  expect(rows[0]?.t === text).toBe(true);
});
