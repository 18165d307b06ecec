import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../errors.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import { type ObjectStore, StorageError } from '../storage/object-store.js';
import type { Blob } from './blobs.service.js';
import { checkStoredPath } from './names.js';
import { type PartState, PartWriter } from './part-writer.js';
import type { UploadFileRow } from './upload.entity.js';
import { partBytesOf, type UploadRange } from './upload-range.js';
import type { UploadFile } from './uploads.schema.js';
import { presentFile, UploadsService } from './uploads.service.js';

/** As many files as a checkpoint may have shards, and room for the rest. */
const maxFilesOfUpload = 12_000;

/**
 * Takes the bytes of one file, part by part, into the store. Several requests for one file may overlap; the row's
 * `attempt` says which is the newest, and only that one's writes count.
 */
@Injectable()
export class UploadReceiver {
  constructor(
    private readonly database: DataSource,
    private readonly uploads: UploadsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /**
   * @param body is read to its end, or to the point where it breaks; what was stored by then can be continued
   * @throws AppError upload_not_found, upload_closed, upload_offset_mismatch, upload_superseded, digest_mismatch and
   * what `checkStoredPath` refuses
   */
  async receive(id: string, path: string, range: UploadRange, body: Readable): Promise<UploadFile> {
    checkStoredPath(path);
    await this.uploads.getOpen(this.database.manager, id);
    const previous = await this.#find(id, path);
    const same = previous !== undefined && isSame(previous, range);
    if (previous?.done && same) return presentFile(previous);
    if (range.offset > 0) requireContinuation(same ? previous : undefined, range);
    const taken = range.offset > 0 ? await this.#continue(id, path, range.offset) : await this.#begin(id, path, range);
    if (range.offset === 0 && previous) await this.#forget(previous);
    const row = taken.multipart_id === null ? await this.#beginParts(taken) : taken;
    try {
      return await this.#store(row, range, body);
    } catch (error) {
      await this.#requireNewest(row);
      throw error;
    }
  }

  /**
   * Takes a file whose bytes stay where they are.
   * @param objectKey of somebody else's object, whose bytes have this size and digest
   * @throws AppError upload_not_found, upload_closed and what `checkStoredPath` refuses
   */
  async refer(id: string, path: string, { sha256, bytes, objectKey }: Blob): Promise<void> {
    checkStoredPath(path);
    await this.uploads.getOpen(this.database.manager, id);
    await this.database.query(
      `insert into upload_files as f (upload_id, path, bytes, sha256, object_key, received, done)
       values ($1, $2, $3, $4, $5, $3, true) on conflict (upload_id, path) do nothing`,
      [id, path, bytes, sha256, objectKey],
    );
  }

  async #store(row: UploadFileRow, range: UploadRange, body: Readable): Promise<UploadFile> {
    const partBytes = Math.min(partBytesOf(range.totalBytes), Math.max(range.bytes, 1));
    const writer = new PartWriter(this.store, row.object_key, stateOf(row), partBytes, (now) => this.#save(row, now));
    const hash = createHash('sha256');
    let reached = range.offset;
    try {
      // Destroying a request destroys its socket, and with it the answer.
      for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        reached += chunk.length;
        await writer.write(chunk);
      }
    } catch (error) {
      if (body.errored === null) throw error;
      // The line broke: what is stored stays, for whoever goes on.
      await writer.end({ isFileEnd: false });
      throw new AppError('request_timeout', 'The connection ended before the file did.', { cause: error });
    }
    const finished = reached === range.totalBytes;
    const stored = await writer.end({ isFileEnd: finished });
    if (!finished) return presentFile({ ...row, received: String(stored.received) });
    await this.#complete(row, stored);
    const digest = range.offset === 0 ? hash.digest('hex') : await this.#digestOf(row.object_key);
    return presentFile(await this.#finish(row, digest, range));
  }

  async #beginParts(row: UploadFileRow): Promise<UploadFileRow> {
    const multipartId = await this.store.beginUpload(row.object_key);
    try {
      return await this.#save(row, { multipartId, parts: [], received: 0 });
    } catch (error) {
      await this.store.abortUpload(row.object_key, multipartId);
      throw error;
    }
  }

  async #complete(row: UploadFileRow, { multipartId, parts }: PartState): Promise<void> {
    if (parts.length > 0) {
      await this.store.completeUpload(row.object_key, multipartId, parts).catch(async (error: unknown) => {
        // A process that died between making the object and writing that down; its bytes are hashed again.
        const isGone = error instanceof StorageError && /^upload_(?:not_found|part_invalid)$/.test(error.code);
        const head = isGone && (await this.store.head(row.object_key).catch(() => undefined));
        if (!head || head.bytes !== Number(row.bytes)) throw error;
      });
    } else {
      // An empty file has no parts, and a store makes no object of none.
      await this.store.abortUpload(row.object_key, multipartId);
      await this.store.put(row.object_key, new Uint8Array());
    }
  }

  /** A hash cannot be continued by another process, so a file that came in pieces is read back once. */
  async #digestOf(objectKey: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of await this.store.read(objectKey)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  async #finish(row: UploadFileRow, digest: string, { isUnannounced }: UploadRange): Promise<UploadFileRow> {
    if (digest === row.sha256 || isUnannounced === true) {
      return this.#update(row, 'done = true, multipart_id = null, received = bytes, sha256 = $4', [digest]);
    }
    await this.store.delete(row.object_key);
    await this.#update(row, `received = 0, parts = '[]', multipart_id = null`, []);
    throw new AppError('digest_mismatch', `The received bytes have SHA-256 ${digest}; nothing of them was kept.`, {
      pointer: 'X-Content-SHA256',
    });
  }

  async #begin(id: string, path: string, { totalBytes, sha256 }: UploadRange): Promise<UploadFileRow> {
    const [row] = await this.database.query<UploadFileRow[]>(
      `insert into upload_files as f (upload_id, path, bytes, sha256, object_key)
       select u.id, $2, $3, $4, $5 from uploads u
       where u.id = $1 and u.state = 'open'
         and (select count(*) from upload_files where upload_id = $1 and path <> $2) < $6
       for share of u
       on conflict (upload_id, path) do update
         set bytes = excluded.bytes, sha256 = excluded.sha256, object_key = excluded.object_key,
             received = 0, multipart_id = null, parts = '[]', done = false, attempt = f.attempt + 1
       returning *`,
      [id, path, totalBytes, sha256, `blobs/${randomUUID()}`, maxFilesOfUpload],
    );
    if (row) return row;
    await this.uploads.getOpen(this.database.manager, id);
    throw new AppError('upload_too_many_files', `A version has at most ${maxFilesOfUpload} files.`);
  }

  async #continue(id: string, path: string, offset: number): Promise<UploadFileRow> {
    const [[row]] = await this.database.query<[UploadFileRow[], number]>(
      `update upload_files set attempt = attempt + 1
       where upload_id = $1 and path = $2 and received = $3 and not done and multipart_id is not null returning *`,
      [id, path, offset],
    );
    if (!row) throw superseded();
    return row;
  }

  #save(row: UploadFileRow, { multipartId, parts, received }: PartState): Promise<UploadFileRow> {
    return this.#update(row, 'multipart_id = $4, parts = $5, received = $6', [
      multipartId,
      JSON.stringify(parts),
      received,
    ]);
  }

  async #update(row: UploadFileRow, assignments: string, values: unknown[]): Promise<UploadFileRow> {
    const [[updated]] = await this.database.query<[UploadFileRow[], number]>(
      `update upload_files set ${assignments} where upload_id = $1 and path = $2 and attempt = $3 returning *`,
      [row.upload_id, row.path, row.attempt, ...values],
    );
    if (!updated) throw superseded();
    return updated;
  }

  async #find(id: string, path: string): Promise<UploadFileRow | undefined> {
    const [row] = await this.database.query<UploadFileRow[]>(
      'select * from upload_files where upload_id = $1 and path = $2',
      [id, path],
    );
    return row;
  }

  /** Frees what an earlier, other try stored; the row no longer names it. */
  async #forget(row: UploadFileRow): Promise<void> {
    if (row.multipart_id !== null) await this.store.abortUpload(row.object_key, row.multipart_id);
    await this.store.delete(row.object_key);
  }

  /**
   * Whatever went wrong, an overtaken request says so. Overtaken by a continuation, the object is the other's; by a
   * new start or a discarded upload, it is nobody's.
   * @throws AppError upload_superseded
   */
  async #requireNewest(row: UploadFileRow): Promise<void> {
    // An upload that is given up is closed first, then emptied, and its rows go last.
    const [now] = await this.database.query<Pick<UploadFileRow, 'attempt' | 'object_key'>[]>(
      `select f.attempt, f.object_key from upload_files f join uploads u on u.id = f.upload_id
       where f.upload_id = $1 and f.path = $2 and u.state = 'open'`,
      [row.upload_id, row.path],
    );
    if (now?.attempt === row.attempt) return;
    if (now?.object_key !== row.object_key) await this.#forget(row);
    throw superseded();
  }
}

function isSame({ sha256, bytes, done }: UploadFileRow, range: UploadRange): boolean {
  const isNamed = sha256 === range.sha256 || (range.isUnannounced === true && done);
  return isNamed && Number(bytes) === range.totalBytes;
}

function requireContinuation(row: UploadFileRow | undefined, { offset }: UploadRange): void {
  const received = Number(row?.received ?? 0);
  if (row && received === offset && row.multipart_id !== null) return;
  throw new AppError(
    'upload_offset_mismatch',
    row
      ? `The file has ${received} bytes so far: continue there.`
      : 'There is no file with this path, size and SHA-256 to continue: begin at 0.',
    { pointer: 'Content-Range', extra: { received } },
  );
}

function stateOf(row: UploadFileRow): PartState {
  return { multipartId: row.multipart_id ?? '', parts: row.parts, received: Number(row.received) };
}

function superseded(): AppError {
  return new AppError('upload_superseded', 'Another request took over this file, or its upload was given up.');
}
