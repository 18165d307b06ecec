import type { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { StorageError } from './object-store.js';
import { isTransient } from './s3-errors.js';

// Together 10 to 20 s: as long as a server takes to start, when it answers 500 before its volumes are there.
const attempts = { retries: 6, minTimeout: 200, maxTimeout: 4000, factor: 2 };

/**
 * Does something again, after 0.2 s up to 4 s, while the S3 server is away or busy.
 * @param translate gives what the client throws a code of ours, with the client's error as its cause
 */
export function retried<T>(call: () => Promise<T>, translate: (error: unknown) => StorageError): Promise<T> {
  const translated = () =>
    call().catch((error: unknown) => {
      throw translate(error);
    });
  return pRetry(translated, { ...attempts, randomize: true, shouldRetry: ({ error }) => isTransient(error.cause) });
}

export interface SteadyRead {
  /** Bytes of the object from a place on, tried again by itself. */
  open: (offset: number, length: number) => Promise<Readable>;
  offset: number;
  length: number;
  /** The object's name in messages. */
  what: string;
  translate: (error: unknown) => StorageError;
}

/** Goes on where a connection broke, as long as each attempt brings something. Counts, since a server may send less. */
export async function* steadily({ open, offset, length, what, translate }: SteadyRead): AsyncGenerator<Buffer> {
  let received = 0;
  let fruitless = 0;
  while (received < length) {
    const before = received;
    const stream = await open(offset + received, length - received);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        received += chunk.length;
        assertNoMore(what, received, length);
        yield chunk;
      }
    } catch (error) {
      if (!isTransient(error)) throw translate(error);
    } finally {
      stream.destroy();
    }
    fruitless = received > before ? 0 : fruitless + 1;
    if (fruitless > attempts.retries) throw new StorageError('size_mismatch', `The server stops sending ${what}.`);
  }
}

function assertNoMore(what: string, received: number, askedBytes: number): void {
  if (received > askedBytes) throw new StorageError('size_mismatch', `The server sent more of ${what} than was asked.`);
}
