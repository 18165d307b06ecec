import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { checkPath, localDirectory } from './files.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amalgam-files-'));
  await mkdir(join(directory, 'blobs'));
  await mkdir(join(directory, 'snapshot', 'sub'), { recursive: true });
  await mkdir(join(directory, 'snapshot', '.cache'));
  await writeFile(join(directory, 'blobs', 'sha'), 'weights');
  await writeFile(join(directory, 'snapshot', 'sub', 'a.txt'), 'abc');
  await writeFile(join(directory, 'snapshot', '.cache', 'lock'), '');
  await writeFile(join(directory, 'snapshot', 'Z'), '');
  await symlink('../blobs/sha', join(directory, 'snapshot', 'model.safetensors'));
});

afterAll(() => rm(directory, { recursive: true }));

test('lists files and links to files, sorted by bytes, with the size of what they lead to', async () => {
  expect(await localDirectory(join(directory, 'snapshot')).list()).toEqual([
    { path: 'Z', bytes: 0 },
    { path: 'model.safetensors', bytes: 7 },
    { path: 'sub/a.txt', bytes: 3 },
  ]);
});

test('reads exactly the range, or says where the file ends', async () => {
  const files = localDirectory(join(directory, 'snapshot'));
  expect(Buffer.from(await files.read('model.safetensors', 2, 3)).toString()).toBe('igh');
  expect(Buffer.from(await files.read('sub/a.txt', 0, 3)).toString()).toBe('abc');
  expect(await files.read('Z', 0, 0)).toHaveLength(0);
  await expect(files.read('sub/a.txt', 1, 3)).rejects.toMatchObject({
    code: 'file_truncated',
    message: 'sub/a.txt: ends at byte 3, expected 4',
  });
  await expect(files.read('sub', 0, 1)).rejects.toMatchObject({ code: 'file_missing' });
  await expect(files.read('none', 0, 1)).rejects.toMatchObject({ code: 'file_missing' });
});

test('works in a folder that is given relative to the working directory, or with .. in it', async () => {
  const files = localDirectory(join(directory, 'snapshot', 'sub', '..'));
  expect(Buffer.from(await files.read('sub/a.txt', 0, 1)).toString()).toBe('a');
});

test.each(['a', 'a/b', '.gitattributes', 'a..b', '..a', 'é', 'a b', 'x'.repeat(255)])('%j is a path', (path) => {
  expect(checkPath(path)).toBe(path);
});

test.each([
  '/a',
  'a/',
  'a//b',
  '..',
  'a/../b',
  '.',
  '',
  'a\\b',
  'a\nb',
  'a\0',
  'x'.repeat(256),
  'é/'.repeat(400) + 'a',
])('%j is none', (path) => {
  expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: 'file_path_invalid' }));
});
