import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { localDirectory } from '../engine/index.js';
import type { Commit } from '../http/effects.js';
import type { ModelPath, Version } from './models.schema.js';
import { UploadCompletion } from './upload-completion.service.js';
import { UploadReceiver } from './upload-receiver.service.js';
import { UploadsService } from './uploads.service.js';
import { DataSource } from 'typeorm';

/** Makes a version of a small folder on this machine, through the same code as anybody's upload. */
@Injectable()
export class FolderUpload {
  constructor(
    private readonly database: DataSource,
    private readonly uploads: UploadsService,
    private readonly receiver: UploadReceiver,
    private readonly completion: UploadCompletion,
  ) {}

  /** Each file is held in memory. What was stored is freed when anything fails. */
  async add(path: ModelPath, folder: string, createdBy: string, commit: Commit<Version>): Promise<Version> {
    const { id } = await this.uploads.create(path, createdBy, (work) => this.database.transaction(work));
    try {
      const files = localDirectory(folder);
      for (const file of await files.list()) {
        const bytes = Buffer.from(await files.read(file.path, 0, file.bytes));
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const range = { sha256, offset: 0, bytes: bytes.length, totalBytes: bytes.length };
        await this.receiver.receive(id, file.path, range, Readable.from([bytes]));
      }
      return await this.completion.complete(id, {}, createdBy, commit);
    } catch (error) {
      await this.uploads.discard(id).catch(() => undefined);
      throw error;
    }
  }
}
