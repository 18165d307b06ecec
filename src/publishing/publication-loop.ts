import { Inject, Injectable } from '@nestjs/common';
import type { JobClaim } from '../platform/job-leases.js';
import { JobLoop } from '../platform/job-loop.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { PublicationAttempt } from './publication-attempt.js';
import { PublicationLeases } from './publication-leases.js';

/** At once in one process: a second line is rarely faster, but a small model need not wait for a large one. */
const atOnce = 2;

/** Takes whatever waits to be published. It only moves bytes, so it works beside the merges of the same process. */
@Injectable()
export class PublicationLoop extends JobLoop<JobClaim> {
  constructor(leases: PublicationLeases, attempt: PublicationAttempt, @Inject(LOGGER) logger: Logger) {
    const claim = (owner: string): Promise<JobClaim | undefined> => leases.claim(owner);
    super({ name: 'publications', atOnce, claim, run: (taken, stopping) => attempt.run(taken, stopping) }, logger);
  }
}
