import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** Reads a growing file behind its writer, out of the page cache, and hashes it: beside the merge, never in its loop. */
interface Follow {
  path: string;
  upTo: number;
  isLast: boolean;
}

const buffer = Buffer.alloc(1024 * 1024);
let current: { path: string; descriptor: number; position: number; hash: Hash } | undefined;

parentPort?.on('message', ({ path, upTo, isLast }: Follow) => {
  if (current?.path !== path)
    current = { path, descriptor: openSync(path, 'r'), position: 0, hash: createHash('sha256') };
  while (current.position < upTo) {
    const wanted = Math.min(buffer.length, upTo - current.position);
    const count = readSync(current.descriptor, buffer, 0, wanted, current.position);
    if (count === 0) throw new Error(`${path} is shorter than what was written to it`);
    current.hash.update(buffer.subarray(0, count));
    current.position += count;
  }
  if (!isLast) return;
  closeSync(current.descriptor);
  parentPort?.postMessage({ path, sha256: current.hash.digest('hex') });
  current = undefined;
});
