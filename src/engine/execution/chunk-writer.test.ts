import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { compileKernels } from '../kernels/kernels.js';
import { ChunkWriter } from './chunk-writer.js';
import { OpenFiles } from './file-access.js';
import { Arena } from './workspace.js';

const BYTES = 8;
const directory = mkdtempSync(join(tmpdir(), 'amalgam-chunks-'));
const path = join(directory, 'shard');
const arena = new Arena(compileKernels());
const writing = new SharedArrayBuffer(4);
const progress = new SharedArrayBuffer(16);
const files = new OpenFiles();

beforeEach(() => writeFileSync(path, Buffer.alloc(4 * BYTES)));
afterAll(() => rmSync(directory, { recursive: true }));

describe('chunks on their way to a shard', () => {
  const written = (): number[] => [0, 1, 2, 3].map((chunk) => readFileSync(path)[chunk * BYTES] ?? 0);

  test('wait while another thread writes, and go out in order before a third would wait', () => {
    const writer = new ChunkWriter({ writing, progress }, arena, files, BYTES);
    const put = (chunk: number): void => {
      new Uint8Array(arena.memory.buffer, writer.target, BYTES).fill(chunk + 1);
      writer.put(path, chunk * BYTES, BYTES);
    };
    put(0);
    expect(written()).toEqual([1, 0, 0, 0]);
    const isWriting = new Int32Array(writing);
    Atomics.store(isWriting, 0, 1);
    put(1);
    put(2);
    expect(written()).toEqual([1, 0, 0, 0]);
    put(3);
    expect(written()).toEqual([1, 2, 3, 4]);
    expect(new BigInt64Array(progress)[1]).toBe(BigInt(4 * BYTES));
    put(0);
    writer.flush();
    expect(Atomics.load(isWriting, 0)).toBe(1);
    files.close();
  });
});
