import { Injectable } from '@nestjs/common';
import type { HubLine } from '../hub/hub-file-reader.js';
import { UploadCompletion } from '../models/upload-completion.service.js';
import type { UploadFile } from '../models/uploads.schema.js';
import { UploadsService } from '../models/uploads.service.js';
import type { JobClaim } from '../platform/job-leases.js';
import { allOrNone } from '../platform/slots.js';
import { FileFetcher } from './file-fetcher.service.js';
import { ImportEvents } from './import-events.js';
import { ImportLeases } from './import-leases.js';
import type { ImportPlan } from './import-plan.js';
import { type StoredImport, StoredImports } from './stored-imports.js';

const tellEveryMs = 1_000;
/** Uploads that nobody works on are cleared away after a day. */
const extendEveryMs = 60_000;

/** One attempt at an import. */
export interface ImportWork {
  claim: JobClaim;
  stored: StoredImport;
  line: HubLine;
}

/** Brings all files of an import into the store, and makes them a version. */
@Injectable()
export class ImportTransfer {
  constructor(
    private readonly imports: StoredImports,
    private readonly uploads: UploadsService,
    private readonly fetcher: FileFetcher,
    private readonly completion: UploadCompletion,
    private readonly leases: ImportLeases,
    private readonly events: ImportEvents,
  ) {}

  async run({ claim, stored, plan, line }: ImportWork & { plan: ImportPlan }): Promise<void> {
    const { uploadId, known } = await this.#open(claim, stored);
    const received = new Map([...known].map(([path, file]) => [path, file.done ? file.bytes : file.received]));
    const doneBytes = (): number => [...received.values()].reduce((sum, bytes) => sum + bytes, 0);
    const stopTelling = this.#tellRegularly(claim, uploadId, doneBytes);
    try {
      const works = plan.files.map((file) => async (signal: AbortSignal) => {
        if (known.get(file.path)?.done === true) return;
        const onBytes = (path: string, bytes: number): void => void received.set(path, bytes);
        const { namespace, mode } = stored;
        const fetching = { plan, namespace, mode, uploadId, line: { ...line, signal }, onBytes };
        await this.fetcher.fetch(fetching, file, known.get(file.path));
        await this.leases.progress(claim, doneBytes(), true);
        await this.events.changing(claim.id, async (manager) => {
          await this.leases.lock(manager, claim);
          await this.events.append(manager, claim.id, 'file', { path: file.path, bytes: file.bytes });
        });
      });
      await allOrNone(line.signal, works);
    } finally {
      await stopTelling();
    }
    const source = { repository: plan.repository, commit: plan.commit };
    const { alias, createdBy } = stored;
    const commit = this.imports.succeeding(claim);
    await this.completion.complete(uploadId, alias === null ? {} : { alias }, createdBy, commit, source);
  }

  /** The upload of an earlier attempt with what it has, or a new one. */
  async #open(claim: JobClaim, stored: StoredImport): Promise<{ uploadId: string; known: Map<string, UploadFile> }> {
    if (stored.uploadId !== null) {
      await this.uploads.extend(stored.uploadId);
      const upload = await this.uploads.get(stored.uploadId).catch(() => undefined);
      if (upload?.state === 'open' && Date.parse(upload.expiresAt) > Date.now()) {
        return { uploadId: upload.id, known: new Map(upload.files.map((file) => [file.path, file])) };
      }
    }
    return { uploadId: await this.imports.beginUpload(claim, stored), known: new Map() };
  }

  #tellRegularly(claim: JobClaim, uploadId: string, doneBytes: () => number): () => Promise<void> {
    let telling: Promise<void> = Promise.resolve();
    let extendedAt = performance.now();
    const tell = async (): Promise<void> => {
      await this.leases.progress(claim, doneBytes());
      await this.events.tellProgress(claim.id);
      if (performance.now() - extendedAt < extendEveryMs) return;
      extendedAt = performance.now();
      await this.uploads.extend(uploadId);
    };
    // Of no importance for the import itself: a database that is away is noticed by the lease.
    const timer = setInterval(() => {
      telling = telling.then(tell).catch(() => undefined);
    }, tellEveryMs);
    return async () => {
      clearInterval(timer);
      await telling;
    };
  }
}
