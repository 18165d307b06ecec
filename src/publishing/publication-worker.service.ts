import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { CONFIG, DATABASE, LOGGER } from '../platform/tokens.js';
import { PublicationKeeping } from './publication-keeping.js';
import { PublicationLoop } from './publication-loop.js';

/**
 * Publications take minutes: a look at the table every 2 s finds what other processes wrote down soon enough, so they
 * have no queue of their own that could lose anything.
 */
const sweepMs = 2_000;
const stopWithinMs = 7_000;

/** Starts and stops what publishes in this process; role `api` only takes publications in. */
@Injectable()
export class PublicationWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly loop: PublicationLoop,
    private readonly keeping: PublicationKeeping,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // An embedded database has one process, whose data directory is locked: whoever owned anything is dead.
    if (this.database.embedded) await this.keeping.takeOver();
    if (this.config.role !== 'api') this.loop.start();
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweep().finally(() => (this.#sweeping = undefined));
    }, sweepMs);
  }

  /** Work is called off before anything that it needs goes away; what was begun is given back at once. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([this.loop.stop(), sleep(stopWithinMs, undefined, { ref: false })]);
    await this.#sweeping;
    this.keeping.close();
  }

  async #sweep(): Promise<void> {
    try {
      const rows = await this.source.query<{ id: string }[]>(
        `select id from publications
         where cancel_requested_at is not null and state not in ('succeeded', 'failed', 'cancelled')`,
      );
      for (const { id } of rows) await this.keeping.finishCancelled(id);
    } catch (error) {
      this.logger.warn({ err: error }, 'A look after publications failed; it will be tried again');
    }
    this.loop.wakeSoon();
  }
}
