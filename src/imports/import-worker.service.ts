import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config.js';
import type { Database } from '../platform/database.js';
import { JobWorker } from '../platform/job-worker.js';
import type { Logger } from '../platform/logger.js';
import { CONFIG, DATABASE, LOGGER } from '../platform/tokens.js';
import { ImportKeeping } from './import-keeping.js';
import { ImportLoop } from './import-loop.js';

/** Imports in this process. */
@Injectable()
export class ImportWorker extends JobWorker {
  constructor(
    loop: ImportLoop,
    keeping: ImportKeeping,
    @Inject(CONFIG) config: Config,
    @Inject(DATABASE) database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ name: 'imports', loop, keeping }, { config, database, logger });
  }
}
