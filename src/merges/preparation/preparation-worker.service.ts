import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Config } from '../../config.js';
import type { Database } from '../../platform/database.js';
import type { Logger } from '../../platform/logger.js';
import { RegularWork } from '../../platform/regular-work.js';
import { CONFIG, DATABASE, LOGGER } from '../../platform/tokens.js';
import { PreparationKeeping } from './preparation-keeping.js';
import { PreparationLoop } from './preparation-loop.js';

const sweepMs = 2_000;
const releaseMs = 15_000;
const stopWithinMs = 7_000;

/** Starts and stops what prepares merges in this process; role `api` only takes them in. */
@Injectable()
export class PreparationWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #regular: RegularWork;

  constructor(
    private readonly loop: PreparationLoop,
    private readonly keeping: PreparationKeeping,
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
    this.#regular.every(sweepMs, 'looking after merges that wait for their inputs', () => this.#sweep());
    this.#regular.every(releaseMs, 'ending what merges do not wait for any more', () => this.keeping.release());
  }

  /** Work is called off before anything that it needs goes away; what was begun is given back at once. */
  async beforeApplicationShutdown(): Promise<void> {
    const swept = this.#regular.stop();
    await Promise.race([this.loop.stop(), sleep(stopWithinMs, undefined, { ref: false })]);
    await swept;
  }

  async #sweep(): Promise<void> {
    try {
      await this.keeping.tellFetched();
    } finally {
      this.loop.wakeSoon();
    }
  }
}
