import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUse, lockDataDirectory } from './data-directory.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(directory, { recursive: true }));

const lockOf = async (folder: string) => JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as { socket: string };
const dead = (socket: string) => JSON.stringify({ pid: process.pid, token: 'f'.repeat(32), socket });

test('refuses a second holder and names the first one', async () => {
  const lock = await lockDataDirectory(directory);
  const second = lockDataDirectory(directory);
  await expect(second).rejects.toThrow(DataDirectoryInUse);
  await expect(second).rejects.toThrow(`in use by process ${String(process.pid)}`);
  await lock.release();
});

test('leaves nothing behind and can be taken again', async () => {
  for (let i = 0; i < 2; i += 1) await (await lockDataDirectory(directory)).release();
  expect(await readdir(directory)).toEqual([]);
});

test.each([
  ['whose socket is gone', () => dead(join(directory, 'gone.socket'))],
  ['that is no socket', () => dead(directory)],
  ['that a power cut emptied', () => ''],
])('takes over a lock %s, although its pid lives', async (_, content) => {
  await writeFile(join(directory, 'lock'), content());
  const lock = await lockDataDirectory(directory);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test('takes a socket that answers with another token for a stranger', async () => {
  const socket = join(directory, 's');
  const server = createServer((connection) => connection.end('1 another\n')).listen(socket);
  await writeFile(join(directory, 'lock'), dead(socket));
  await (await lockDataDirectory(directory)).release();
  await new Promise((resolve) => server.close(resolve));
});

test('takes a holder that accepts but does not answer for alive', async () => {
  const socket = join(directory, 's');
  const server = createServer().listen(socket);
  await writeFile(join(directory, 'lock'), dead(socket));
  await expect(lockDataDirectory(directory)).rejects.toThrow(DataDirectoryInUse);
  server.close();
});

test('gives a dead lock to exactly one of many that want it', async () => {
  await writeFile(join(directory, 'lock'), dead(join(directory, 'gone.socket')));
  for (let round = 0; round < 10; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDirectory(directory)));
    const [winner, ...others] = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(others).toEqual([]);
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(DataDirectoryInUse);
    // Dies without letting go: its listener ends, its lock stays.
    const held = await readFile(join(directory, 'lock'));
    await winner?.release();
    await writeFile(join(directory, 'lock'), held);
  }
});

test('goes on when an heir died before it took over', async () => {
  await writeFile(join(directory, 'lock'), dead(join(directory, 'gone.socket')));
  const heir = JSON.stringify({ pid: 1, token: 'e'.repeat(32), socket: join(directory, 'gone too.socket') });
  await writeFile(join(directory, `lock.after.${'f'.repeat(32)}`), heir);
  const lock = await lockDataDirectory(directory);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test('finds a short path for the socket of a long directory', async () => {
  const long = join(directory, 'x'.repeat(120));
  await mkdir(long);
  const lock = await lockDataDirectory(long);
  expect(Buffer.byteLength((await lockOf(long)).socket)).toBeLessThan(100);
  await expect(lockDataDirectory(long)).rejects.toThrow(DataDirectoryInUse);
  await lock.release();
});
