import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { failureLimit, waitSecondsOf, WorkerLost } from '../../hub/hub-attempts.js';
import type { HubError } from '../../hub/hub-error.js';
import { HubTokens } from '../../hub/hub-tokens.service.js';
import { type JobClaim, JobLost } from '../../platform/job-leases.js';
import { keepLease } from '../../platform/leases.js';
import type { Logger } from '../../platform/logger.js';
import { LOGGER } from '../../platform/tokens.js';
import { MergeEvents } from '../merge-events.js';
import { failMerge, finishCancelled } from '../merge-steps.js';
import { failureOf, type PreparationFailure } from './preparation-failure.js';
import { PreparationLeases } from './preparation-leases.js';
import { PreparationSteps } from './preparation-steps.js';
import { StoredPreparations } from './stored-preparations.js';

/** Shorter waits are nothing to tell anybody. */
const toldWaitSeconds = 5;

/** One attempt at preparing a merge, from the claim to the next thing to wait for. */
@Injectable()
export class PreparationAttempt {
  constructor(
    private readonly stored: StoredPreparations,
    private readonly leases: PreparationLeases,
    private readonly events: MergeEvents,
    private readonly tokens: HubTokens,
    private readonly steps: PreparationSteps,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never throws for what goes wrong: that becomes part of the merge. @param stopping the process ends */
  async run(claim: JobClaim, stopping: AbortSignal): Promise<void> {
    const work = new AbortController();
    const signal = AbortSignal.any([work.signal, stopping]);
    const stopBeating = keepLease(
      {
        name: `the preparation of merge ${claim.id}`,
        renew: () => this.leases.renew(claim),
        onChange: (callback) => this.events.onChange(claim.id, callback),
      },
      work,
    );
    try {
      if (claim.failures > failureLimit) throw new WorkerLost();
      const stored = await this.stored.get(claim.id);
      const token = await this.tokens.resolve({ holder: `merge ${claim.id}`, ...stored });
      const onWait = (error: HubError, seconds: number): void => this.#tellWait(claim, error, seconds);
      await this.steps.run({ claim, stored, line: { token, signal, onWait } });
    } catch (error) {
      const isCalledOff = signal.aborted || error instanceof JobLost;
      await this.#giveBack(claim, isCalledOff ? undefined : failureOf(error), error);
    } finally {
      await stopBeating();
    }
  }

  /** @param failure undefined when the attempt was called off: that is nobody's fault and does not count */
  async #giveBack(claim: JobClaim, failure: PreparationFailure | undefined, error: unknown): Promise<void> {
    const { id, attempt } = claim;
    const context = { mergeId: id, attempt };
    if (failure?.isPassing)
      this.logger.warn({ ...context, err: error, code: failure.code }, 'Preparing a merge failed');
    const giveBack = async (manager: EntityManager): Promise<void> => {
      await manager.query('select 1 from merges where id = $1 for update', [id]);
      const failures = await this.leases.release(manager, claim, failure !== undefined);
      if (failures === undefined) return;
      const [row] = await manager.query<{ wanted: boolean }[]>(
        'select cancel_requested_at is null as wanted from merges where id = $1',
        [id],
      );
      if (row?.wanted === false) await finishCancelled(manager, this.events, id);
      else if (failure) await this.#fail(manager, claim, failure, failures);
    };
    // When even this fails, the lease ends by itself and somebody takes it again.
    await this.events.changing(id, giveBack).catch((reason: unknown) => {
      this.logger.warn({ ...context, err: reason }, 'Giving a merge back failed; its lease will end');
    });
  }

  async #fail(manager: EntityManager, claim: JobClaim, failure: PreparationFailure, failures: number): Promise<void> {
    const { id, attempt } = claim;
    if (!failure.isPassing || failures >= failureLimit) {
      await failMerge(manager, this.events, id, failure);
      return;
    }
    const waitSeconds = waitSecondsOf(failures, failure);
    await this.leases.postpone(manager, claim, waitSeconds);
    const { code, detail } = failure;
    await this.events.append(manager, id, 'attempt-failed', { attempt, code, detail, waitSeconds });
  }

  #tellWait({ id }: JobClaim, { status, message }: HubError, seconds: number): void {
    if (seconds < toldWaitSeconds) return;
    void this.events
      .changing(id, (manager) => this.events.append(manager, id, 'wait', { seconds, status, detail: message }))
      .catch(() => undefined);
  }
}
