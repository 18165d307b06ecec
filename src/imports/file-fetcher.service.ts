import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubError } from '../hub/hub-error.js';
import { HubModels } from '../hub/hub-model.js';
import type { HubFile } from '../hub/hub-repository.js';
import { UploadReceiver } from '../models/upload-receiver.service.js';
import type { UploadFile } from '../models/uploads.schema.js';
import { Slots } from '../platform/slots.js';
import { StorageError } from '../storage/object-store.js';
import type { ImportPlan } from './import-plan.js';
import { rangedBody } from './ranged-body.js';

/** Files on their way at once in this process, whatever the number of imports: with what each holds, 120 MiB. */
const filesAtOnce = 3;
/** Files outside the large store have no SHA-256 yet: they are hashed before they are stored. The Hub keeps them small. */
const maxGitFileBytes = 64 * 2 ** 20;

export interface Fetching {
  plan: ImportPlan;
  uploadId: string;
  line: HubLine;
  /** How many bytes of a file are on their way into the store. */
  onBytes: (path: string, bytes: number) => void;
}

/** Brings files of the Hub into an upload, going on with what an earlier attempt stored of them. */
@Injectable()
export class FileFetcher {
  readonly #slots = new Slots(filesAtOnce);

  constructor(
    private readonly models: HubModels,
    private readonly receiver: UploadReceiver,
  ) {}

  /**
   * @param known what the upload has of the file
   * @throws HubError, StorageError; AppError digest_mismatch when the bytes are not those that the Hub announced
   */
  fetch(fetching: Fetching, file: HubFile, known: UploadFile | undefined): Promise<void> {
    if (known?.done === true) return Promise.resolve();
    return this.#slots.run(async () => {
      fetching.line.signal.throwIfAborted();
      if (file.sha256 === undefined) return this.#fetchGitFile(fetching, file);
      const received = known?.sha256 === file.sha256 && known.bytes === file.bytes ? known.received : 0;
      try {
        await this.#fetchRest(fetching, file, file.sha256, received);
      } catch (error) {
        // The store has forgotten what an earlier attempt sent: from the beginning, then.
        const isLost = error instanceof StorageError && error.code === 'upload_not_found';
        if (!isLost && !(error instanceof AppError && error.code === 'upload_offset_mismatch')) throw error;
        if (received === 0) throw error;
        await this.#fetchRest(fetching, file, file.sha256, 0);
      }
    });
  }

  async #fetchRest(
    { plan, uploadId, line, onBytes }: Fetching,
    file: HubFile,
    sha256: string,
    offset: number,
  ): Promise<void> {
    const { path, bytes: totalBytes } = file;
    const end = new AbortController();
    const signal = AbortSignal.any([line.signal, end.signal]);
    const reader = this.models.reader(plan, file, { ...line, signal });
    const body = rangedBody(reader, offset, totalBytes, (bytes) => onBytes(path, bytes));
    try {
      const range = { sha256, offset, bytes: totalBytes - offset, totalBytes };
      await this.receiver.receive(uploadId, path, range, body);
    } catch (error) {
      line.signal.throwIfAborted();
      throw reasonOf(error, path);
    } finally {
      end.abort(new Error('no more of this file is needed'));
      body.destroy();
    }
  }

  async #fetchGitFile({ plan, uploadId, line, onBytes }: Fetching, file: HubFile): Promise<void> {
    const { path, bytes: totalBytes, gitOid } = file;
    if (totalBytes > maxGitFileBytes) throw new AppError('body_too_large', `${path} has ${totalBytes} bytes.`);
    const bytes = totalBytes === 0 ? Buffer.alloc(0) : await this.models.reader(plan, file, line).read(0, totalBytes);
    const oid = createHash('sha1').update(`blob ${totalBytes}\0`).update(bytes).digest('hex');
    if (oid !== gitOid) throw differs(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const range = { sha256, offset: 0, bytes: totalBytes, totalBytes };
    await this.receiver.receive(uploadId, path, range, Readable.from(totalBytes === 0 ? [] : [bytes]));
    onBytes(path, totalBytes);
  }
}

/** The receiver speaks of requests and their bodies; here the body is the Hub's. */
function reasonOf(error: unknown, path: string): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'digest_mismatch') return differs(path);
  return error.cause instanceof HubError ? error.cause : error;
}

function differs(path: string): AppError {
  const detail = `${path}: the bytes that came do not have the digest that the Hub announced; nothing of it was kept.`;
  return new AppError('digest_mismatch', detail);
}
