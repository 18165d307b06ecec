import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { inspectOffThread } from '../engine/index.js';
import { AppError } from '../errors.js';
import { inspectedFiles, neededFiles } from '../hub/model-files.js';
import { StorageError } from '../storage/object-store.js';
import { findS3Reference, folderOf, formatS3Reference, type S3Reference } from '../storage/s3-reference.js';
import type { SourceBucket } from '../storage/source-bucket.js';
import { SourceBuckets } from '../storage/source-buckets.js';
import type { SourceObject } from '../storage/source-key.js';
import type { S3File } from './import-plan.js';
import type { RangeReader } from './ranged-body.js';
import { RemoteCheckpoint } from './remote-checkpoint.js';
import type { SourceModel } from './source-model.js';

/** The only folder below a model's that is looked into. */
const chatTemplates = 'additional_chat_templates';

/** Reads models of buckets that the configuration names. */
@Injectable()
export class S3Models {
  constructor(private readonly buckets: SourceBuckets) {}

  /**
   * Nothing is connected to before this is answered.
   * @param namespace of the model that is to be made; without one, only what every namespace may read
   * @throws AppError s3_source_not_allowed
   */
  requireAllowed(reference: S3Reference, namespace: string | undefined): SourceBucket {
    const bucket = this.buckets.find(reference, namespace);
    if (bucket) return bucket;
    const who = namespace === undefined ? 'here' : `by models of ${namespace}`;
    throw new AppError(
      's3_source_not_allowed',
      `${formatS3Reference(reference)} may not be read ${who}: whoever runs the service names such buckets in AMALGAM_S3_SOURCES.`,
      { pointer: '/source' },
    );
  }

  /**
   * Lists a folder of a bucket and reads its headers.
   * @throws AppError s3_source_not_allowed, s3_source_not_found, s3_source_refused, s3_source_changed,
   * s3_source_unavailable; EngineError; what the signal aborts with
   */
  async open(reference: S3Reference, signal: AbortSignal, namespace: string | undefined): Promise<SourceModel> {
    const bucket = this.requireAllowed(reference, namespace);
    const repository = formatS3Reference(reference);
    try {
      const listed = await listFiles(bucket, reference, signal);
      if (listed.length === 0) throw new StorageError('s3_source_not_found', `There is nothing at ${repository}.`);
      const files = new RemoteCheckpoint(inspectedFiles(listed), (file) =>
        this.reader(reference, file, signal, namespace),
      );
      const checkpoint = await inspectOffThread(files);
      const needed = neededFiles(listed, checkpoint.shards);
      return { plan: { repository, commit: digestOf(needed), files: needed }, files, checkpoint };
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /**
   * @throws AppError s3_source_not_allowed; when it reads: StorageError s3_source_changed when the object is not the
   * one that was listed, s3_source_refused, s3_source_unavailable; what the signal aborts with
   */
  reader(reference: S3Reference, file: S3File, signal: AbortSignal, namespace: string | undefined): RangeReader {
    const bucket = this.requireAllowed(reference, namespace);
    const object = objectOf(reference, file);
    const readInto = (buffer: Buffer, offset: number): Promise<Buffer> =>
      readRange(bucket, object, buffer, offset, signal);
    return { read: (offset, length) => readInto(Buffer.allocUnsafe(length), offset), readInto };
  }
}

/** The object that a file of a plan is. @param repository `s3://bucket/prefix` */
export function sourceObjectOf(repository: string, file: S3File): SourceObject {
  return objectOf(s3ReferenceOf(repository), file);
}

/** @param repository of a plan with files of a bucket */
export function s3ReferenceOf(repository: string): S3Reference {
  const reference = findS3Reference(repository);
  if (!reference) throw new Error(`${repository} is no folder of a bucket`);
  return reference;
}

function objectOf(reference: S3Reference, { path, etag }: S3File): SourceObject {
  return { bucket: reference.bucket, name: folderOf(reference) + path, etag };
}

async function listFiles(bucket: SourceBucket, reference: S3Reference, signal: AbortSignal): Promise<S3File[]> {
  const folder = folderOf(reference);
  const files: S3File[] = [];
  for (const each of [folder, `${folder}${chatTemplates}/`]) {
    for await (const { name, bytes, etag } of bucket.list(each)) {
      signal.throwIfAborted();
      files.push({ path: name.slice(folder.length), bytes, etag });
    }
  }
  return files;
}

/** What a commit is on the Hub: it changes with any object that would be fetched. */
function digestOf(files: readonly S3File[]): string {
  const lines = files.map(({ path, bytes, etag }) => `${path}\0${bytes}\0${etag}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

async function readRange(
  bucket: SourceBucket,
  object: SourceObject,
  target: Buffer,
  offset: number,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const stream = bucket.read(object, offset, target.byteLength);
  const abort = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    let filled = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) filled += chunk.copy(target, filled);
    if (filled < target.byteLength) throw new StorageError('s3_source_unavailable', 'the answer was cut off');
    return target;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function refusalOf(error: unknown): unknown {
  const code = error instanceof StorageError ? error.sourceCode : undefined;
  return code ? new AppError(code, (error as StorageError).message, { pointer: '/source', cause: error }) : error;
}
