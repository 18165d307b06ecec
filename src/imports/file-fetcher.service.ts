import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubError } from '../hub/hub-error.js';
import type { HubFile } from '../hub/hub-repository.js';
import { UploadReceiver } from '../models/upload-receiver.service.js';
import type { UploadFile } from '../models/uploads.schema.js';
import { Slots } from '../platform/slots.js';
import { StorageError } from '../storage/object-store.js';
import { formatSourceKey } from '../storage/source-key.js';
import type { ImportPlan, S3File, SourceFile } from './import-plan.js';
import { ImportSources } from './import-sources.js';
import type { ImportMode } from './imports.schema.js';
import { rangedBody } from './ranged-body.js';
import { sourceObjectOf } from './s3-models.js';

/** Files on their way at once in this process, whatever the number of imports: with what each holds, 72 MiB. */
const filesAtOnce = 3;
/** Files outside the large store have no SHA-256 yet: they are hashed before they are stored. The Hub keeps them small. */
const maxGitFileBytes = 64 * 2 ** 20;

export interface Fetching {
  plan: ImportPlan;
  /** Of the model that is made. */
  namespace: string;
  mode: ImportMode;
  uploadId: string;
  line: HubLine;
  /** How many bytes of a file are on their way into the store. */
  onBytes: (path: string, bytes: number) => void;
}

/** Brings files of the Hub or of a bucket into an upload, going on with what an earlier attempt stored of them. */
@Injectable()
export class FileFetcher {
  readonly #slots = new Slots(filesAtOnce);

  constructor(
    private readonly sources: ImportSources,
    private readonly receiver: UploadReceiver,
  ) {}

  /**
   * @param known what the upload has of the file
   * @throws HubError, StorageError; AppError digest_mismatch when the bytes are not those that the Hub announced
   */
  fetch(fetching: Fetching, file: SourceFile, known: UploadFile | undefined): Promise<void> {
    if (known?.done === true) return Promise.resolve();
    return this.#slots.run(async () => {
      fetching.line.signal.throwIfAborted();
      if ('etag' in file) {
        if (fetching.mode === 'reference' && file.path.endsWith('.safetensors')) return this.#refer(fetching, file);
      } else if (file.sha256 === undefined) return this.#fetchGitFile(fetching, file);
      const digest = digestOf(fetching.plan, file);
      const received = known?.sha256 === digest.sha256 && known.bytes === file.bytes ? known.received : 0;
      try {
        await this.#fetchRest(fetching, file, digest, received);
      } catch (error) {
        // The store has forgotten what an earlier attempt sent: from the beginning, then.
        const isLost = error instanceof StorageError && error.code === 'upload_not_found';
        if (!isLost && !(error instanceof AppError && error.code === 'upload_offset_mismatch')) throw error;
        if (received === 0) throw error;
        await this.#fetchRest(fetching, file, digest, 0);
      }
    });
  }

  async #fetchRest(
    { plan, namespace, uploadId, line, onBytes }: Fetching,
    file: SourceFile,
    digest: FileDigest,
    offset: number,
  ): Promise<void> {
    const { path, bytes: totalBytes } = file;
    const end = new AbortController();
    const signal = AbortSignal.any([line.signal, end.signal]);
    const reader = this.sources.reader(plan, file, { ...line, signal }, namespace);
    const body = rangedBody(reader, offset, totalBytes, (bytes) => onBytes(path, bytes));
    try {
      const range = { ...digest, offset, bytes: totalBytes - offset, totalBytes };
      await this.receiver.receive(uploadId, path, range, body);
    } catch (error) {
      line.signal.throwIfAborted();
      throw reasonOf(error, path);
    } finally {
      end.abort(new Error('no more of this file is needed'));
      body.destroy();
    }
  }

  /** Reads a file once for its digest, and leaves it where it is. */
  async #refer({ plan, namespace, uploadId, line, onBytes }: Fetching, file: S3File): Promise<void> {
    const { path, bytes } = file;
    const hash = createHash('sha256');
    const reader = this.sources.reader(plan, file, line, namespace);
    const body = rangedBody(reader, 0, bytes, (reached) => onBytes(path, reached));
    for await (const piece of body as AsyncIterable<Buffer>) hash.update(piece);
    const objectKey = formatSourceKey(sourceObjectOf(plan.repository, file));
    await this.receiver.refer(uploadId, path, { sha256: hash.digest('hex'), bytes, objectKey });
  }

  async #fetchGitFile({ plan, namespace, uploadId, line, onBytes }: Fetching, file: HubFile): Promise<void> {
    const { path, bytes: totalBytes, gitOid } = file;
    if (totalBytes > maxGitFileBytes) throw new AppError('body_too_large', `${path} has ${totalBytes} bytes.`);
    const bytes =
      totalBytes === 0 ? Buffer.alloc(0) : await this.sources.reader(plan, file, line, namespace).read(0, totalBytes);
    const oid = createHash('sha1').update(`blob ${totalBytes}\0`).update(bytes).digest('hex');
    if (oid !== gitOid) throw differs(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const range = { sha256, offset: 0, bytes: totalBytes, totalBytes };
    await this.receiver.receive(uploadId, path, range, Readable.from(totalBytes === 0 ? [] : [bytes]));
    onBytes(path, totalBytes);
  }
}

interface FileDigest {
  sha256: string;
  isUnannounced?: boolean;
}

/** The Hub says what a file's bytes must be. A bucket does not: its object is named by where it is, and what it was. */
function digestOf({ repository }: ImportPlan, file: SourceFile): FileDigest {
  if (!('etag' in file)) return { sha256: file.sha256 ?? '' };
  const name = formatSourceKey(sourceObjectOf(repository, file));
  return { sha256: createHash('sha256').update(`${name} ${file.bytes}`).digest('hex'), isUnannounced: true };
}

/** The receiver speaks of requests and their bodies; here the body is the source's. */
function reasonOf(error: unknown, path: string): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'digest_mismatch') return differs(path);
  const { cause } = error;
  return cause instanceof HubError || cause instanceof StorageError ? cause : error;
}

function differs(path: string): AppError {
  const detail = `${path}: the bytes that came do not have the digest that the Hub announced; nothing of it was kept.`;
  return new AppError('digest_mismatch', detail);
}
