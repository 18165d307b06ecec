import type { Readable } from 'node:stream';

/** What is known of a stored object without reading it. */
export interface ObjectHead {
  key: string;
  bytes: number;
}

/** One part of a multipart upload that the store has taken: parts are numbered from 1. */
export interface UploadedPart {
  number: number;
  tag: string;
}

export type StorageErrorCode =
  | 'object_not_found'
  | 'object_key_invalid'
  | 'object_range_invalid'
  | 'upload_not_found'
  | 'upload_part_invalid'
  | 'digest_mismatch'
  | 'size_mismatch'
  | 'storage_full'
  | 'storage_unavailable'
  | SourceErrorCode;

/** Of objects in somebody else's bucket. They are codes of the API too. */
export type SourceErrorCode =
  's3_source_not_allowed' | 's3_source_not_found' | 's3_source_refused' | 's3_source_changed' | 's3_source_unavailable';

/** Everything that a store or what is built on it refuses; `code` is stable. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same may succeed later, without anybody doing anything. */
  get isPassing(): boolean {
    return this.code === 'storage_unavailable' || this.code === 's3_source_unavailable';
  }

  /** When it is about somebody else's bucket: its code, which is one of the API. */
  get sourceCode(): SourceErrorCode | undefined {
    return this.code.startsWith('s3_source_') ? (this.code as SourceErrorCode) : undefined;
  }
}

/**
 * Where objects live. Keys are relative slash paths of letters, digits, `.`, `_`, `-`; an object appears whole or not
 * at all. Every implementation passes `test/support/object-store.conformance.ts`.
 */
export interface ObjectStore {
  /** Size of an object. @throws StorageError object_not_found */
  head(key: string): Promise<ObjectHead>;

  /**
   * Bytes of an object as a stream that errors when the store delivers fewer than asked. `length` defaults to the
   * rest; a zero length gives an empty stream. The caller consumes or destroys it.
   * @throws StorageError object_not_found; object_range_invalid when the range leaves the object
   */
  read(key: string, range?: { offset?: number; length?: number }): Promise<Readable>;

  /** Stores a small object in one piece, replacing what was there. */
  put(key: string, bytes: Uint8Array): Promise<void>;

  /** Begins an object that is sent in parts; returns the upload's id. Nothing is visible under the key until `completeUpload`. */
  beginUpload(key: string): Promise<string>;

  /**
   * Sends one part; sending a number again replaces it. Parts but the last are at least 5 MiB.
   * @returns the tag that `completeUpload` needs
   * @throws StorageError upload_not_found
   */
  putPart(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string>;

  /**
   * Makes the object of these parts, in order of their numbers, and ends the upload.
   * @throws StorageError upload_not_found, upload_part_invalid
   */
  completeUpload(key: string, upload: string, parts: readonly UploadedPart[]): Promise<void>;

  /** Forgets an upload and frees its space; an unknown one is no error. */
  abortUpload(key: string, upload: string): Promise<void>;

  /**
   * Forgets the uploads that nobody has touched since `before`, and what killed processes left of other writes. A store
   * may count from an upload's beginning, so `before` lies further back than any upload takes.
   */
  forgetUploads(before: Date): Promise<void>;

  /** Deletes an object; a missing one is no error. */
  delete(key: string): Promise<void>;

  /** Objects whose key starts with `prefix`, in order of their keys. */
  list(prefix: string): AsyncIterable<ObjectHead>;

  /** The file that holds the object, when the store keeps plain files on this machine. */
  localPath(key: string): string | undefined;

  /** Resolves when the store can be used now. @throws StorageError storage_unavailable */
  check(): Promise<void>;
}

/** Keys are made by us from digests and ids; anything else is a mistake that must not reach a file system. */
export function assertKey(key: string): void {
  const segments = key.split('/');
  const valid = segments.every((segment) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(segment)) && key.length <= 512;
  if (!valid) throw new StorageError('object_key_invalid', `"${key.slice(0, 80)}" is not an object key.`);
}

export function objectNotFound(key: string): StorageError {
  return new StorageError('object_not_found', `There is no object ${key}.`);
}

/** Resolves a range against an object's size. @throws StorageError object_range_invalid */
export function resolveRange(
  head: ObjectHead,
  range: { offset?: number; length?: number } = {},
): { offset: number; length: number } {
  const offset = range.offset ?? 0;
  const length = range.length ?? head.bytes - offset;
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!valid || offset + length > head.bytes) {
    const asked = `${String(offset)}+${String(length)}`;
    throw new StorageError('object_range_invalid', `Range ${asked} leaves ${key(head)}.`);
  }
  return { offset, length };
}

function key(head: ObjectHead): string {
  return `the ${String(head.bytes)} bytes of ${head.key}`;
}
