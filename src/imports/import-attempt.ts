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
import { ImportSteps } from './import-steps.js';
import { StoredImports } from './stored-imports.js';

/** One attempt at an import. */
@Injectable()
export class ImportAttempt extends HubJobAttempt {
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
    return this.events.cancelIfWanted(manager, id);
  }

  protected override fail(manager: EntityManager, id: string, failure: AttemptFailure): Promise<void> {
    return this.events.fail(manager, id, failure);
  }
}
