import { createHash } from 'node:crypto';
import { StorageError, type ObjectStore, type UploadedPart } from './object-store.js';

/** Size and digest of an object's bytes; the digest is lower-case hex. */
export interface Content {
  bytes: number;
  sha256: string;
}

/** S3 takes parts from 5 MiB on and 10,000 of them; two of these are in memory while one is sent. */
export const partBytes = 16 * 2 ** 20;

/**
 * Stores what a source delivers, hashing it on the way. Small content goes in one piece, the rest in parts. Nothing
 * appears under the key when the source fails or the content is not what was expected.
 *
 * @throws StorageError digest_mismatch, size_mismatch, or what the store throws
 */
export async function writeObject(
  store: ObjectStore,
  key: string,
  source: AsyncIterable<Uint8Array>,
  expected: { sha256?: string; bytes?: number } = {},
): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  const parts = cut(source, partBytes, (chunk) => {
    hash.update(chunk);
    bytes += chunk.byteLength;
  });
  const finish = (): Content => {
    const content = { bytes, sha256: hash.digest('hex') };
    assertContent(key, content, expected);
    return content;
  };
  const first = await parts.next();
  const second = first.done ? first : await parts.next();
  if (second.done) {
    const content = finish();
    await store.put(key, first.value ?? new Uint8Array(0));
    return content;
  }
  const upload = await store.beginUpload(key);
  try {
    const sent = await sendAll(store, key, upload, prepend([first.value as Buffer, second.value], parts));
    const content = finish();
    await store.completeUpload(key, upload, sent);
    return content;
  } catch (error) {
    await store.abortUpload(key, upload).catch(() => undefined);
    throw error;
  }
}

/** Reads a whole object for its size and digest. */
export async function digestObject(store: ObjectStore, key: string): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of (await store.read(key)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @throws StorageError digest_mismatch, size_mismatch */
export function assertContent(what: string, content: Content, expected: { sha256?: string; bytes?: number }): void {
  if (expected.bytes !== undefined && content.bytes !== expected.bytes) {
    const got = `${String(content.bytes)} bytes instead of ${String(expected.bytes)}`;
    throw new StorageError('size_mismatch', `${what} has ${got}.`);
  }
  if (expected.sha256 !== undefined && content.sha256 !== expected.sha256) {
    throw new StorageError('digest_mismatch', `${what} has SHA-256 ${content.sha256} instead of ${expected.sha256}.`);
  }
}

/**
 * Cuts a source into buffers of `size` bytes, the last one shorter; each buffer belongs to whoever takes it.
 * @param onChunk sees every byte once, in order
 */
export async function* cut(
  source: AsyncIterable<Uint8Array>,
  size: number,
  onChunk: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Buffer, undefined> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  for await (const whole of source) {
    onChunk(whole);
    let chunk = whole;
    while (held + chunk.byteLength >= size) {
      chunks.push(chunk.subarray(0, size - held));
      chunk = chunk.subarray(size - held);
      yield Buffer.concat(chunks, size);
      chunks = [];
      held = 0;
    }
    if (chunk.byteLength > 0) chunks.push(chunk);
    held += chunk.byteLength;
  }
  if (held > 0) yield Buffer.concat(chunks, held);
  return undefined;
}

/** One part is on its way while the next is filled. */
async function sendAll(
  store: ObjectStore,
  key: string,
  upload: string,
  parts: AsyncIterable<Buffer>,
): Promise<UploadedPart[]> {
  const sent: UploadedPart[] = [];
  let underway: Promise<void> = Promise.resolve();
  for await (const part of parts) {
    await underway;
    const number = sent.push({ number: sent.length + 1, tag: '' });
    underway = store.putPart(key, upload, number, part).then((tag) => {
      sent[number - 1] = { number, tag };
    });
    // Awaited a part later; until then a failure must not count as unhandled.
    underway.catch(() => undefined);
  }
  await underway;
  return sent;
}

async function* prepend<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncIterable<T> {
  yield* first;
  yield* rest;
}
