import { expect, test } from '@jest/globals';
import { setImmediate as breathe } from 'node:timers/promises';
import { pieceBytes, rangedBody } from './ranged-body.js';

const totalBytes = 6 * pieceBytes + 1_000;

/** Fills each buffer with the number of its piece, sooner or later. */
function fakeReader(): {
  readInto: (buffer: Buffer, offset: number) => Promise<Buffer>;
  buffers: Set<ArrayBufferLike>;
} {
  const buffers = new Set<ArrayBufferLike>();
  return {
    buffers,
    readInto: async (buffer, offset) => {
      buffers.add(buffer.buffer);
      for (let i = 0; i < offset % 3; i += 1) await breathe();
      return buffer.fill(offset / pieceBytes + 1);
    },
  };
}

test('a piece is whole until the next one is asked for, and three buffers are enough', async () => {
  const reader = fakeReader();
  const reached: number[] = [];
  const body = rangedBody(reader, 0, totalBytes, (bytes) => reached.push(bytes));
  let at = 0;
  for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let i = 0; i < 20; i += 1) await breathe();
    const number = at / pieceBytes + 1;
    expect(piece.byteLength).toBe(Math.min(pieceBytes, totalBytes - at));
    expect(piece.every((byte) => byte === number)).toBe(true);
    at += piece.byteLength;
  }
  expect(at).toBe(totalBytes);
  expect(reached.at(-1)).toBe(totalBytes);
  expect(reader.buffers.size).toBe(3);
});

test('goes on from an offset, and ends with what it could not read', async () => {
  const failing = {
    readInto: (buffer: Buffer, offset: number) =>
      offset > 2 * pieceBytes ? Promise.reject(new Error('the line broke')) : Promise.resolve(buffer.fill(7)),
  };
  const body = rangedBody(failing, 5, 4 * pieceBytes, () => undefined);
  const sizes: number[] = [];
  await expect(async () => {
    for await (const piece of body as AsyncIterable<Buffer>) sizes.push(piece.byteLength);
  }).rejects.toThrow('the line broke');
  expect(sizes).toEqual([pieceBytes, pieceBytes]);
});
