import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { inspect } from '../../src/engine/checkpoint/checkpoint.js';
import { localDirectory } from '../../src/engine/checkpoint/files.js';
import { inspectOffThread } from '../../src/engine/checkpoint/off-thread.js';
import { EngineError } from '../../src/engine/errors.js';
import { memoryFiles, rawSafetensors, text, zeroCheckpoint } from '../support/checkpoint-bytes.js';
import { checkpointAttacks } from './checkpoint-attacks.js';

async function refusal(work: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof EngineError) return error;
  throw error ?? new Error('accepted');
}

describe('attacks on a checkpoint', () => {
  test('are named once', () => {
    expect(new Set(checkpointAttacks.map(({ name }) => name)).size).toBe(checkpointAttacks.length);
  });

  test.each(checkpointAttacks)('$name: $code', async ({ code, files }) => {
    const error = await refusal(inspect(memoryFiles(files()), { requireConfig: true }));
    expect(error.code).toBe(code);
    // A message is shown and logged: it must not carry the attack's bulk.
    expect(error.message.length).toBeLessThan(400);
  });

  test('a tensor called __proto__ is a tensor like any other', async () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"__metadata__":{"__proto__":"pt"}}';
    const { tensors } = await inspect(memoryFiles({ 'model.safetensors': rawSafetensors(header, 4) }));
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });

  test('a million and one tensors are refused, on a thread of its own', async () => {
    const entries = Array.from(
      { length: 1_000_001 },
      (_, at) => `"${at}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    );
    const files = memoryFiles({ 'model.safetensors': rawSafetensors(`{${entries.join(',')}}`, 0) });
    const error = await refusal(inspectOffThread(files));
    expect(error.code).toBe('header_too_many_tensors');
    expect(error.details.file).toBe('model.safetensors');
  }, 120_000);

  test.each([
    ['model.safetensors', 'header_too_large'],
    ['model.safetensors.index.json', 'index_too_large'],
    ['config.json', 'config_too_large'],
  ])('%s of 2^50 bytes is never read', async (path, code) => {
    const { list, read } = memoryFiles(zeroCheckpoint([{ name: 'a', dtype: 'F32', shape: [1] }]));
    const huge = { path, bytes: 2 ** 50 };
    const rest = (await list()).filter((file) => file.path !== path);
    const reads: number[] = [];
    const files = {
      list: () => Promise.resolve([huge, ...rest]),
      read: (file: string, offset: number, length: number) => {
        reads.push(length);
        return file === path ? Promise.resolve(Buffer.alloc(length, 0xff)) : read(file, offset, length);
      },
    };
    const error = await refusal(inspect(files));
    expect(error.code).toBe(code);
    expect(Math.max(0, ...reads)).toBeLessThanOrEqual(32_768);
  });
});

describe('attacks by paths', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-hostile-'));
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside', 'secret'), 'secret');
    await mkdir(join(directory, 'model'));
    await writeFile(
      join(directory, 'model', 'model.safetensors'),
      zeroCheckpoint([{ name: 'a', dtype: 'F32', shape: [1] }])['model.safetensors'] ?? '',
    );
  });

  afterEach(() => rm(directory, { recursive: true }));

  const files = () => localDirectory(join(directory, 'model'));

  test.each([
    '../outside/secret',
    '/etc/passwd',
    'a/../../outside/secret',
    'a\\..\\b',
    './model.safetensors',
    'a//b',
    '',
    'a\0',
  ])('reading %j is refused', async (path) => {
    expect((await refusal(files().read(path, 0, 1))).code).toBe('file_path_invalid');
  });

  test('a folder that is a link is not listed, and not read through', async () => {
    await symlink(join(directory, 'outside'), join(directory, 'model', 'link'));
    await symlink(directory, join(directory, 'model', 'circle'));
    expect((await files().list()).map(({ path }) => path)).toEqual(['model.safetensors']);
    expect((await refusal(files().read('link/secret', 0, 1))).code).toBe('file_path_invalid');
  });

  test('a link to nothing is no file', async () => {
    await symlink(join(directory, 'nowhere'), join(directory, 'model', 'config.json'));
    expect((await inspect(files())).config).toBeUndefined();
    expect((await refusal(inspect(files(), { requireConfig: true }))).code).toBe('config_missing');
  });

  test('a pipe in the place of the weights neither hangs nor counts', async () => {
    await rm(join(directory, 'model', 'model.safetensors'));
    execFileSync('mkfifo', [join(directory, 'model', 'model.safetensors')]);
    expect((await refusal(inspect(files()))).code).toBe('weights_missing');
    expect((await refusal(files().read('model.safetensors', 0, 1))).code).toBe('file_missing');
  });

  test('a store that lists a path outside, or one path twice, is refused', async () => {
    const { read } = memoryFiles({});
    for (const paths of [['../model.safetensors'], ['config.json', 'config.json']]) {
      const list = () => Promise.resolve(paths.map((path) => ({ path, bytes: 1 })));
      expect((await refusal(inspect({ list, read }))).code).toBe('file_path_invalid');
    }
  });

  test('a folder that is a file, or not there, is a refusal', async () => {
    expect((await refusal(localDirectory(join(directory, 'outside', 'secret')).list())).code).toBe('file_missing');
    expect((await refusal(localDirectory(join(directory, 'nowhere')).list())).code).toBe('file_missing');
    await writeFile(join(directory, 'model', 'config.json'), text(''));
    expect((await refusal(files().read('config.json', 0, 1))).code).toBe('file_truncated');
  });
});
