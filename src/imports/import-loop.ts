import { Inject, Injectable } from '@nestjs/common';
import { JobLoop } from '../platform/job-loop.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { ImportAttempt } from './import-attempt.js';
import { type ImportClaim, ImportLeases } from './import-leases.js';

/** At once in one process: a second line is rarely faster, but a small model need not wait for a large one. */
const atOnce = 2;

/** Takes whatever waits to be imported. It only moves bytes, so it works beside the merges of the same process. */
@Injectable()
export class ImportLoop extends JobLoop<ImportClaim> {
  constructor(leases: ImportLeases, attempt: ImportAttempt, @Inject(LOGGER) logger: Logger) {
    const claim = (owner: string): Promise<ImportClaim | undefined> => leases.claim(owner);
    super({ name: 'imports', atOnce, claim, run: (taken, stopping) => attempt.run(taken, stopping) }, logger);
  }
}
