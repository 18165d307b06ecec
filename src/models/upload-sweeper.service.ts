import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LOGGER, OBJECT_STORE } from '../platform/tokens.js';
import type { Logger } from '../platform/logger.js';
import type { ObjectStore } from '../storage/object-store.js';
import { UploadsService } from './uploads.service.js';

const sweepEveryMs = 600_000;

/** Uploads live for a day; a shard is written within an hour. What is older in the store was left by a killed process. */
const abandonedAfterMs = 2 * 86_400_000;

/** Clears away uploads that nobody completed, and what completed or interrupted ones left in the store. */
@Injectable()
export class UploadSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: DataSource,
    private readonly uploads: UploadsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const sweep = () => {
      this.#running = this.sweep().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'clearing uploads failed'),
      );
    };
    this.#timer = setInterval(sweep, sweepEveryMs);
    this.#timer.unref();
    sweep();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Closing comes first, so that a request for a file of the upload cannot store anything after it was cleared. */
  async sweep(): Promise<void> {
    const [closed] = await this.database.query<[{ id: string }[], number]>(
      `update uploads set state = case when state = 'open' then 'discarded' else state end
       where expires_at < now() or state = 'discarded' returning id`,
    );
    for (const { id } of closed) await this.uploads.clear(id);
    await this.store.forgetUploads(new Date(Date.now() - abandonedAfterMs));
  }
}
