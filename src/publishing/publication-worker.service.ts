import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Config } from '../config.js';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { RegularWork } from '../platform/regular-work.js';
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
  readonly #regular: RegularWork;

  constructor(
    private readonly loop: PublicationLoop,
    private readonly keeping: PublicationKeeping,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#regular = new RegularWork(logger);
  }

  async onApplicationBootstrap(): Promise<void> {
    // An embedded database has one process, whose data directory is locked: whoever owned anything is dead.
    if (this.database.embedded) await this.keeping.takeOver();
    if (this.config.role !== 'api') this.loop.start();
    this.#regular.every(sweepMs, 'looking after publications', () => this.#sweep());
  }

  /** Work is called off before anything that it needs goes away; what was begun is given back at once. */
  async beforeApplicationShutdown(): Promise<void> {
    const swept = this.#regular.stop();
    await Promise.race([this.loop.stop(), sleep(stopWithinMs, undefined, { ref: false })]);
    await swept;
  }

  async #sweep(): Promise<void> {
    try {
      await this.keeping.finishCancelled();
    } finally {
      this.loop.wakeSoon();
    }
  }
}
