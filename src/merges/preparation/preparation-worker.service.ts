import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../../config.js';
import type { Database } from '../../platform/database.js';
import { JobWorker } from '../../platform/job-worker.js';
import type { Logger } from '../../platform/logger.js';
import { CONFIG, DATABASE, LOGGER } from '../../platform/tokens.js';
import { PreparationKeeping } from './preparation-keeping.js';
import { PreparationLoop } from './preparation-loop.js';

const releaseMs = 15_000;

/** Prepares merges in this process. */
@Injectable()
export class PreparationWorker extends JobWorker {
  constructor(
    loop: PreparationLoop,
    private readonly keeping: PreparationKeeping,
    @Inject(CONFIG) config: Config,
    @Inject(DATABASE) database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ name: 'merges that wait for their inputs', loop, keeping }, { config, database, logger });
  }

  override async onApplicationBootstrap(): Promise<void> {
    await super.onApplicationBootstrap();
    this.regular.every(releaseMs, 'ending what merges do not wait for any more', () => this.keeping.release());
  }
}
