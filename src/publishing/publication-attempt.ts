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
import type { PublicationState } from './publication-state.js';
import { PublicationSteps } from './publication-steps.js';
import { StoredPublications } from './stored-publications.js';

/** One attempt at a publication. */
@Injectable()
export class PublicationAttempt extends HubJobAttempt<PublicationState> {
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
    return cancelIfWanted(manager, this.events, id);
  }

  protected override async fail(manager: EntityManager, id: string, { code, detail }: AttemptFailure): Promise<void> {
    await this.events.move(manager, id, 'fail', { code, detail });
    await manager.query('update publications set failure = $2 where id = $1', [id, JSON.stringify({ code, detail })]);
  }
}

/** Ends a publication whose cancellation was asked for, unless somebody still works on it. */
export async function cancelIfWanted(manager: EntityManager, events: PublicationEvents, id: string): Promise<boolean> {
  const [row] = await manager.query<{ ready: boolean }[]>(
    `select cancel_requested_at is not null and (owner is null or lease_until < now()) as ready
     from publications where id = $1 for update`,
    [id],
  );
  return row?.ready === true && (await events.move(manager, id, 'cancel')) !== undefined;
}
