import { objectNotFound, StorageError, type StorageErrorCode } from './object-store.js';

const connectionErrors = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

const codes: Partial<Record<string, StorageErrorCode>> = {
  NoSuchUpload: 'upload_not_found',
  InvalidPart: 'upload_part_invalid',
  InvalidPartOrder: 'upload_part_invalid',
  EntityTooSmall: 'upload_part_invalid',
  InvalidRange: 'object_range_invalid',
  BadDigest: 'digest_mismatch',
  XAmzContentSHA256Mismatch: 'digest_mismatch',
};

/** Whether the same request may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  if (error === undefined || error instanceof StorageError) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (connectionErrors.has(code) || ['SlowDown', 'InternalError'].includes(code)))
    return true;
  // The client keeps of a 429 or 5xx answer nothing but this sentence.
  return typeof message === 'string' && /Retryable HTTP status|^(Error: )?(socket hang up|aborted)$/.test(message);
}

/** Turns what the client throws into an error with a code of ours. */
export function translateS3(error: unknown, key: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'NoSuchKey' || code === 'NotFound') return objectNotFound(key);
  const known = typeof code === 'string' ? codes[code] : undefined;
  const said = [code, message].filter((word) => typeof word === 'string' && word !== '').join(': ');
  return new StorageError(known ?? 'storage_unavailable', `The S3 server refused ${key}: ${said}`, { cause: error });
}
