import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AttemptFailure } from '../hub/hub-attempts.js';
import { type AttemptLine, HubJobAttempt } from '../hub/hub-job-attempt.js';
import { HubTokens, requireToken } from '../hub/hub-tokens.service.js';
import type { JobClaim } from '../platform/job-leases.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { PublicationEvents } from './publication-events.js';
import { failureOf } from './publication-failure.js';
import { PublicationLeases } from './publication-leases.js';
import { PublicationSteps } from './publication-steps.js';
import { StoredPublications } from './stored-publications.js';

/** One attempt at a publication. */
@Injectable()
export class PublicationAttempt extends HubJobAttempt {
  constructor(
    leases: PublicationLeases,
    private readonly events: PublicationEvents,
    private readonly stored: StoredPublications,
    private readonly tokens: HubTokens,
    private readonly steps: PublicationSteps,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ doing: 'to publish', idName: 'publicationId', leases, events, logger });
  }

  protected override async work(claim: JobClaim, line: AttemptLine): Promise<void> {
    const publication = await this.stored.get(claim.id);
    const token = requireToken(await this.tokens.resolve({ holder: `publication ${claim.id}`, ...publication }));
    await this.steps.run({ claim, publication, ...line, token });
  }

  protected override failureOf(error: unknown): AttemptFailure {
    return failureOf(error);
  }

  protected override cancelIfWanted(manager: EntityManager, id: string): Promise<boolean> {
    return this.events.cancelIfWanted(manager, id);
  }

  protected override fail(manager: EntityManager, id: string, failure: AttemptFailure): Promise<void> {
    return this.events.fail(manager, id, failure);
  }
}
