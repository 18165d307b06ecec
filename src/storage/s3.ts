import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Client, ItemBucketMetadata } from 'minio';
import type { S3Config } from '../config.js';
import {
  assertKey,
  resolveRange,
  StorageError,
  type ObjectHead,
  type ObjectStore,
  type UploadedPart,
} from './object-store.js';
import { connectS3 } from './s3-client.js';
import { isTransient, translateS3 } from './s3-errors.js';
import { retried, steadily } from './s3-retries.js';

const checkSeconds = 5;

/**
 * Objects on any S3 server. Only calls of the client that are safe are used: its streaming `putObject` mixes two
 * writers of one key and loses source errors, and none of its calls has a time-out or retries a broken connection.
 */
export class S3Store implements ObjectStore {
  private readonly client: Client;

  constructor(private readonly config: S3Config) {
    this.client = connectS3(config);
  }

  async head(key: string): Promise<ObjectHead> {
    const stat = await this.retried(key, (name) => this.client.statObject(this.config.bucket, name));
    return { key, bytes: stat.size };
  }

  async read(key: string, range?: { offset?: number; length?: number }): Promise<Readable> {
    const { offset, length } = resolveRange(await this.head(key), range);
    // The client reads a length of 0 as "to the end".
    if (length === 0) return Readable.from([]);
    return Readable.from(this.chunks(key, offset, length), { objectMode: false });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const body = asBuffer(bytes);
    const metadata: ItemBucketMetadata = { 'Content-Type': 'application/octet-stream' };
    await this.retried(key, (name) => this.client.putObject(this.config.bucket, name, body, body.length, metadata));
  }

  async beginUpload(key: string): Promise<string> {
    return this.retried(key, (name) => this.client.initiateNewMultipartUpload(this.config.bucket, name, {}));
  }

  async putPart(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string> {
    const body = asBuffer(bytes);
    const { etag } = await this.retried(key, (name) => {
      const part = {
        bucketName: this.config.bucket,
        objectName: name,
        uploadID: upload,
        partNumber: number,
        headers: {},
      };
      return this.client.uploadPart(part, body);
    });
    return etag;
  }

  async completeUpload(key: string, upload: string, parts: readonly UploadedPart[]): Promise<void> {
    if (parts.length === 0) {
      await this.put(key, new Uint8Array(0));
      return this.abortUpload(key, upload);
    }
    const etags = [...parts]
      .sort((a, b) => a.number - b.number)
      .map(({ number, tag }) => ({ part: number, etag: tag }));
    let answerLost = false;
    await this.retried(key, async (name) => {
      try {
        await this.client.completeMultipartUpload(this.config.bucket, name, upload, etags);
      } catch (error) {
        const gone = translateS3(error, key).code === 'upload_not_found';
        // An attempt whose answer was lost may have completed: then the upload is gone and the object there.
        if (gone && answerLost && (await this.exists(key))) return;
        answerLost ||= isTransient(error);
        throw error;
      }
    });
  }

  async abortUpload(key: string, upload: string): Promise<void> {
    await this.retried(key, (name) => this.client.abortMultipartUpload(this.config.bucket, name, upload)).catch(
      (error: unknown) => {
        if (!(error instanceof StorageError && error.code === 'upload_not_found')) throw error;
      },
    );
  }

  async forgetUploads(before: Date): Promise<void> {
    const { bucket, prefix } = this.config;
    let [afterKey, afterUpload] = ['', ''];
    do {
      const page = await this.attempt(prefix, () =>
        this.client.listIncompleteUploadsQuery(bucket, prefix, afterKey, afterUpload, ''),
      );
      for (const { key, uploadId, initiated } of page.uploads) {
        if (initiated < before) await this.abortUpload(key.slice(prefix.length), uploadId);
      }
      [afterKey, afterUpload] = page.isTruncated ? [page.nextKeyMarker, page.nextUploadIdMarker] : ['', ''];
    } while (afterKey !== '');
  }

  async delete(key: string): Promise<void> {
    await this.retried(key, (name) => this.client.removeObject(this.config.bucket, name));
  }

  async *list(prefix: string): AsyncIterable<ObjectHead> {
    const whole = this.config.prefix + prefix;
    let token = '';
    do {
      const page = await this.attempt(prefix, () =>
        this.client.listObjectsV2Query(this.config.bucket, whole, token, '', 1000, ''),
      );
      for (const { name, size } of page.objects) {
        if (name !== undefined) yield { key: name.slice(this.config.prefix.length), bytes: size };
      }
      token = page.isTruncated ? page.nextContinuationToken : '';
    } while (token !== '');
  }

  localPath(): undefined {
    return undefined;
  }

  async check(): Promise<void> {
    const late = rejectAfter(checkSeconds);
    const exists = await Promise.race([this.client.bucketExists(this.config.bucket), late]).catch((error: unknown) => {
      throw translateS3(error, this.config.bucket);
    });
    if (!exists) throw new StorageError('storage_unavailable', `There is no bucket ${this.config.bucket}.`);
  }

  private async exists(key: string): Promise<boolean> {
    return this.head(key).then(
      () => true,
      () => false,
    );
  }

  private chunks(key: string, offset: number, length: number): AsyncGenerator<Buffer> {
    const open = (from: number, left: number): Promise<Readable> =>
      this.retried(key, (name) => this.client.getPartialObject(this.config.bucket, name, from, left));
    return steadily({ open, offset, length, what: key, translate: (error) => translateS3(error, key) });
  }

  private retried<T>(key: string, call: (name: string) => Promise<T>): Promise<T> {
    assertKey(key);
    return this.attempt(key, () => call(this.config.prefix + key));
  }

  private attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
    return retried(call, (error) => translateS3(error, what));
  }
}

async function rejectAfter(seconds: number): Promise<never> {
  await setTimeout(seconds * 1000, undefined, { ref: false });
  throw new StorageError('storage_unavailable', `The S3 server did not answer within ${String(seconds)} s.`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
