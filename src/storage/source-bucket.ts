import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Client } from 'minio';
import { connectS3, type S3Server } from './s3-client.js';
import { StorageError } from './object-store.js';
import { retried, steadily } from './s3-retries.js';
import { sourceChanged, translateSource } from './source-errors.js';
import type { SourceObject } from './source-key.js';

/** An object as a listing shows it. */
export interface ListedObject extends SourceObject {
  bytes: number;
}

/** More than any model has; a folder with more is none of a model. */
const mostListed = 20_000;

/** A bucket of somebody else, which is only ever read. Every read names the ETag, so that two objects are never mixed. */
export class SourceBucket {
  readonly #client: Client;

  constructor(
    server: S3Server,
    private readonly bucket: string,
  ) {
    this.#client = connectS3(server);
  }

  /**
   * Objects in a folder, without those in folders below it.
   * @param folder empty, or with a slash at its end
   * @throws StorageError s3_source_not_found, s3_source_refused (also above 20,000 objects), s3_source_unavailable
   */
  async *list(folder: string): AsyncGenerator<ListedObject> {
    const place = this.#place(folder);
    let token = '';
    let listed = 0;
    do {
      const page = await retried(
        () => this.#client.listObjectsV2Query(this.bucket, folder, token, '/', 1000, ''),
        (error) => translateSource(error, place),
      );
      for (const { name, size, etag } of page.objects) {
        // A name with a slash at its end stands for a folder, as some programs make them.
        if (name === undefined || name.endsWith('/')) continue;
        if ((listed += 1) > mostListed) {
          throw new StorageError('s3_source_refused', `${place} has more than ${mostListed} objects.`);
        }
        yield { bucket: this.bucket, name, etag: unquoted(etag), bytes: size };
      }
      token = page.isTruncated ? page.nextContinuationToken : '';
    } while (token !== '');
  }

  /**
   * How many bytes an object has.
   * @throws StorageError s3_source_changed when it is not the same any more; s3_source_refused, s3_source_unavailable
   */
  async size({ name, etag }: SourceObject): Promise<number> {
    const place = this.#place(name);
    const found = await retried(
      () => this.#client.statObject(this.bucket, name),
      (error) => translateSource(error, place),
    );
    if (unquoted(found.etag) !== etag) throw sourceChanged(place);
    return found.size;
  }

  /**
   * A range of at least one byte, as a stream that goes on by itself where a connection broke, and that errors as `size` throws when
   * the object is replaced meanwhile.
   */
  read(object: SourceObject, offset: number, length: number): Readable {
    const place = this.#place(object.name);
    const translate = (error: unknown) => translateSource(error, place);
    const open = (from: number, left: number): Promise<Readable> =>
      retried(() => this.#open(object, from, left), translate);
    return Readable.from(steadily({ open, offset, length, what: place, translate }), { objectMode: false });
  }

  async #open({ name, etag }: SourceObject, offset: number, length: number): Promise<IncomingMessage> {
    const headers = { range: `bytes=${offset}-${offset + length - 1}`, 'if-match': `"${etag}"` };
    const request = { method: 'GET', bucketName: this.bucket, objectName: name, headers };
    const answer = await this.#client.makeRequestAsync(request, '', [206]);
    // Not every server knows If-Match; each says what it sends.
    if (unquoted(answer.headers.etag ?? '') === etag) return answer;
    answer.destroy();
    throw sourceChanged(this.#place(name));
  }

  #place(name: string): string {
    return `s3://${this.bucket}/${name}`;
  }
}

function unquoted(etag: string): string {
  return etag.replace(/^(?:W\/)?"|"$|^&quot;|&quot;$/g, '');
}
