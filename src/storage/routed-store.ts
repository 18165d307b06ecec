import { Readable } from 'node:stream';
import { resolveRange, type ObjectHead, type ObjectStore, type UploadedPart } from './object-store.js';
import type { SourceBuckets } from './source-buckets.js';
import { findSourceObject, isSourceKey } from './source-key.js';

/**
 * The service's own objects, and those of others that versions refer to: reads go where the key says. What is somebody
 * else's is never written, listed or deleted.
 */
export class RoutedStore implements ObjectStore {
  constructor(
    private readonly own: ObjectStore,
    private readonly sources: SourceBuckets,
  ) {}

  /** @throws StorageError also s3_source_not_allowed, s3_source_changed, s3_source_refused, s3_source_unavailable */
  async head(key: string): Promise<ObjectHead> {
    const object = findSourceObject(key);
    if (!object) return this.own.head(key);
    return { key, bytes: await this.sources.of(object).size(object) };
  }

  /** @throws StorageError as `head`; the stream errors with the same */
  async read(key: string, range?: { offset?: number; length?: number }): Promise<Readable> {
    const object = findSourceObject(key);
    if (!object) return this.own.read(key, range);
    const { offset, length } = resolveRange(await this.head(key), range);
    return length === 0 ? Readable.from([]) : this.sources.of(object).read(object, offset, length);
  }

  /** Nothing happens to an object of somebody else: the registry only ceases to refer to it. */
  async delete(key: string): Promise<void> {
    if (!isSourceKey(key)) await this.own.delete(key);
  }

  localPath(key: string): string | undefined {
    return isSourceKey(key) ? undefined : this.own.localPath(key);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.own.put(key, bytes);
  }

  beginUpload(key: string): Promise<string> {
    return this.own.beginUpload(key);
  }

  putPart(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string> {
    return this.own.putPart(key, upload, number, bytes);
  }

  completeUpload(key: string, upload: string, parts: readonly UploadedPart[]): Promise<void> {
    return this.own.completeUpload(key, upload, parts);
  }

  abortUpload(key: string, upload: string): Promise<void> {
    return this.own.abortUpload(key, upload);
  }

  forgetUploads(before: Date): Promise<void> {
    return this.own.forgetUploads(before);
  }

  list(prefix: string): AsyncIterable<ObjectHead> {
    return this.own.list(prefix);
  }

  check(): Promise<void> {
    return this.own.check();
  }
}
