import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AttemptFailure } from '../hub/hub-attempts.js';
import { type AttemptLine, HubJobAttempt } from '../hub/hub-job-attempt.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import type { JobClaim } from '../platform/job-leases.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { ImportEvents } from './import-events.js';
import { failureOf } from './import-failure.js';
import { ImportLeases } from './import-leases.js';
import type { ImportState } from './import-state.js';
import { ImportSteps } from './import-steps.js';
import { StoredImports } from './stored-imports.js';

/** One attempt at an import. */
@Injectable()
export class ImportAttempt extends HubJobAttempt<ImportState> {
  constructor(
    leases: ImportLeases,
    private readonly events: ImportEvents,
    private readonly stored: StoredImports,
    private readonly tokens: HubTokens,
    private readonly steps: ImportSteps,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ doing: 'to import', idName: 'importId', leases, events, logger });
  }

  protected override async work(claim: JobClaim, line: AttemptLine): Promise<void> {
    const stored = await this.stored.get(claim.id);
    const { sealedToken, tokenNamespace: namespace } = stored;
    const token = await this.tokens.resolve({ holder: `import ${claim.id}`, sealedToken, namespace });
    await this.steps.run({ claim, stored, line: { ...line, token } });
  }

  protected override failureOf(error: unknown): AttemptFailure {
    return failureOf(error);
  }

  protected override cancelIfWanted(manager: EntityManager, id: string): Promise<boolean> {
    return cancelIfWanted(manager, this.events, id);
  }

  protected override async fail(manager: EntityManager, id: string, { code, detail }: AttemptFailure): Promise<void> {
    await this.events.move(manager, id, 'fail', { code, detail });
    await manager.query('update imports set failure = $2 where id = $1', [id, JSON.stringify({ code, detail })]);
  }
}

/** Ends an import whose cancellation was asked for, unless somebody still works on it. */
export async function cancelIfWanted(manager: EntityManager, events: ImportEvents, id: string): Promise<boolean> {
  const [row] = await manager.query<{ ready: boolean }[]>(
    `select cancel_requested_at is not null and (owner is null or lease_until < now()) as ready
     from imports where id = $1 for update`,
    [id],
  );
  return row?.ready === true && events.move(manager, id, 'cancel');
}
