import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config.js';
import type { Database } from '../platform/database.js';
import { JobWorker } from '../platform/job-worker.js';
import type { Logger } from '../platform/logger.js';
import { CONFIG, DATABASE, LOGGER } from '../platform/tokens.js';
import { PublicationKeeping } from './publication-keeping.js';
import { PublicationLoop } from './publication-loop.js';

/** Publishes in this process. */
@Injectable()
export class PublicationWorker extends JobWorker {
  constructor(
    loop: PublicationLoop,
    keeping: PublicationKeeping,
    @Inject(CONFIG) config: Config,
    @Inject(DATABASE) database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ name: 'publications', loop, keeping }, { config, database, logger });
  }
}
