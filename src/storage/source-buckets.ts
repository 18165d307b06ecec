import type { S3Source } from '../config.js';
import { StorageError } from './object-store.js';
import { folderOf, type S3Reference } from './s3-reference.js';
import { SourceBucket } from './source-bucket.js';
import type { SourceObject } from './source-key.js';

/** The foreign buckets that the configuration lets be read, and for whom. */
export class SourceBuckets {
  readonly #open = new Map<S3Source, SourceBucket>();

  constructor(private readonly sources: readonly S3Source[]) {}

  /**
   * The bucket of a folder that models of a namespace may be taken from; undefined when they may not.
   * @param namespace without one, only what every namespace may read
   */
  find({ bucket, prefix }: S3Reference, namespace?: string): SourceBucket | undefined {
    const folder = folderOf({ prefix });
    return this.#first(
      (source) =>
        source.bucket === bucket &&
        folder.startsWith(folderOf(source)) &&
        (source.namespaces.includes('*') || (namespace !== undefined && source.namespaces.includes(namespace))),
    );
  }

  /**
   * The bucket of an object that the registry refers to.
   * @throws StorageError s3_source_not_allowed when the configuration does not name it any more
   */
  of({ bucket, name }: SourceObject): SourceBucket {
    const found = this.#first((source) => source.bucket === bucket && name.startsWith(folderOf(source)));
    if (found) return found;
    throw new StorageError('s3_source_not_allowed', `s3://${bucket}/${name} may not be read by this service any more.`);
  }

  #first(isIt: (source: S3Source) => boolean): SourceBucket | undefined {
    const source = this.sources.find(isIt);
    if (!source) return undefined;
    const known = this.#open.get(source) ?? new SourceBucket(source, source.bucket);
    this.#open.set(source, known);
    return known;
  }
}
