import { Inject, Injectable } from '@nestjs/common';
import type { JobClaim } from '../../platform/job-leases.js';
import { JobLoop } from '../../platform/job-loop.js';
import type { Logger } from '../../platform/logger.js';
import { LOGGER } from '../../platform/tokens.js';
import { Doorbell } from '../doorbell.js';
import { PreparationAttempt } from './preparation-attempt.js';
import { PreparationLeases } from './preparation-leases.js';

/** They mostly wait for the Hub. */
const atOnce = 2;

/** Takes merges that wait to be planned. */
@Injectable()
export class PreparationLoop extends JobLoop<JobClaim> {
  constructor(
    leases: PreparationLeases,
    attempt: PreparationAttempt,
    doorbell: Doorbell,
    @Inject(LOGGER) logger: Logger,
  ) {
    const claim = (owner: string): Promise<JobClaim | undefined> => leases.claim(owner);
    const run = async (taken: JobClaim, stopping: AbortSignal): Promise<void> => {
      await attempt.run(taken, stopping);
      // What is prepared stays so; the sweep rings too.
      await doorbell.ring().catch(() => undefined);
    };
    super({ name: 'merges to prepare', atOnce, claim, run }, logger);
  }
}
