import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AttemptLine, HubJobAttempt } from '../../hub/hub-job-attempt.js';
import { HubTokens } from '../../hub/hub-tokens.service.js';
import type { JobClaim } from '../../platform/job-leases.js';
import type { Logger } from '../../platform/logger.js';
import { LOGGER } from '../../platform/tokens.js';
import { MergeEvents } from '../merge-events.js';
import { failMerge, finishCancelled } from '../merge-steps.js';
import { failureOf, type PreparationFailure } from './preparation-failure.js';
import { PreparationLeases } from './preparation-leases.js';
import { PreparationSteps } from './preparation-steps.js';
import { StoredPreparations } from './stored-preparations.js';

/** One attempt at preparing a merge, which ends with the next thing to wait for. */
@Injectable()
export class PreparationAttempt extends HubJobAttempt<PreparationFailure> {
  constructor(
    leases: PreparationLeases,
    private readonly events: MergeEvents,
    private readonly stored: StoredPreparations,
    private readonly tokens: HubTokens,
    private readonly steps: PreparationSteps,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ doing: 'to prepare a merge', idName: 'mergeId', leases, events, logger });
  }

  protected override async work(claim: JobClaim, line: AttemptLine): Promise<void> {
    const stored = await this.stored.get(claim.id);
    const token = await this.tokens.resolve({ holder: `merge ${claim.id}`, ...stored });
    await this.steps.run({ claim, stored, line: { ...line, token } });
  }

  protected override failureOf(error: unknown): PreparationFailure {
    return failureOf(error);
  }

  protected override async cancelIfWanted(manager: EntityManager, id: string): Promise<boolean> {
    const [row] = await manager.query<{ wanted: boolean }[]>(
      'select cancel_requested_at is null as wanted from merges where id = $1',
      [id],
    );
    if (row?.wanted !== false) return false;
    await finishCancelled(manager, this.events, id);
    return true;
  }

  protected override fail(manager: EntityManager, id: string, failure: PreparationFailure): Promise<void> {
    return failMerge(manager, this.events, id, failure);
  }
}
