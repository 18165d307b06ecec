import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { UploadsService } from '../models/uploads.service.js';
import { ImportEvents } from './import-events.js';
import { ImportLeases } from './import-leases.js';

/** What is put right after crashes and cancellations. */
@Injectable()
export class ImportKeeping {
  constructor(
    private readonly database: DataSource,
    private readonly leases: ImportLeases,
    private readonly events: ImportEvents,
    private readonly uploads: UploadsService,
  ) {}

  takeOver(): Promise<void> {
    return this.leases.releaseAll();
  }

  /** Ends what nobody works on any more, and frees what cancelled imports had stored. */
  async sweep(): Promise<void> {
    await this.events.cancelAllWanted();
    const cancelled = await this.database.query<{ id: string; upload_id: string }[]>(
      `select id, upload_id from imports where state = 'cancelled' and upload_id is not null`,
    );
    for (const { id, upload_id: uploadId } of cancelled) {
      // One that is gone already was cleared away by its own sweeper.
      await this.uploads.discard(uploadId).catch(() => undefined);
      await this.database.query(
        `update imports set upload_id = null where id = $1 and upload_id = $2 and state = 'cancelled'`,
        [id, uploadId],
      );
    }
  }
}
