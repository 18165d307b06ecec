import { StorageError } from './object-store.js';
import { isTransient } from './s3-errors.js';

/** Of a server or a network that may be there again later. S3's own answers and what the client refuses have names. */
function isAway(error: unknown): boolean {
  return isTransient(error) || !/^(?:S3Error|Invalid\w+)$/.test(String((error as { name?: unknown }).name));
}

const changed = new Set(['PreconditionFailed', 'NoSuchKey', 'NotFound', 'InvalidRange']);

/**
 * What a foreign bucket's refusals mean to somebody who reads. Addresses of servers are not named: they are the
 * operator's, and the log has them.
 * @param place `s3://bucket/name`
 */
export function translateSource(error: unknown, place: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (isAway(error)) {
    return new StorageError('s3_source_unavailable', `The server of ${place} cannot be reached or is busy.`, {
      cause: error,
    });
  }
  if (code === 'NoSuchBucket') {
    return new StorageError('s3_source_not_found', `The server has no bucket for ${place}.`, { cause: error });
  }
  // The client makes up a code where a server sends a status and nothing else; 412 is no other's.
  const isChanged = (typeof code === 'string' && changed.has(code)) || /\b412\b/.test(String(message));
  if (isChanged) return sourceChanged(place, error);
  const said = [code, message].filter((word) => typeof word === 'string' && word !== '').join(': ');
  return new StorageError('s3_source_refused', `The server refuses ${place} to this service: ${said}`, {
    cause: error,
  });
}

export function sourceChanged(place: string, cause?: unknown): StorageError {
  const detail = `${place} is not the object any more that it was when it was looked up: it was replaced or deleted.`;
  return new StorageError('s3_source_changed', detail, { cause });
}
