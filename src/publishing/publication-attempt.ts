import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type JobClaim, JobLost } from '../platform/job-leases.js';
import { keepLease } from '../platform/leases.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { type AttemptFailure, failureLimit, waitSecondsOf, WorkerLost } from '../hub/hub-attempts.js';
import type { HubError } from '../hub/hub-error.js';
import { HubTokens, requireToken } from '../hub/hub-tokens.service.js';
import { PublicationEvents } from './publication-events.js';
import { failureOf } from './publication-failure.js';
import { PublicationLeases } from './publication-leases.js';
import { PublicationSteps } from './publication-steps.js';
import { StoredPublications } from './stored-publications.js';

/** Shorter waits are nothing to tell anybody. */
const toldWaitSeconds = 5;

/** One attempt at a publication, from the claim to its end or to the fault that ends the attempt. */
@Injectable()
export class PublicationAttempt {
  constructor(
    private readonly stored: StoredPublications,
    private readonly leases: PublicationLeases,
    private readonly events: PublicationEvents,
    private readonly tokens: HubTokens,
    private readonly steps: PublicationSteps,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never throws for what goes wrong: that becomes part of the publication. @param stopping the process ends */
  async run(claim: JobClaim, stopping: AbortSignal): Promise<void> {
    const work = new AbortController();
    const signal = AbortSignal.any([work.signal, stopping]);
    const stopBeating = keepLease(
      {
        name: `publication ${claim.id}`,
        renew: () => this.leases.renew(claim),
        onChange: (callback) => this.events.onChange(claim.id, callback),
      },
      work,
    );
    try {
      if (claim.failures > failureLimit) throw new WorkerLost();
      const publication = await this.stored.get(claim.id);
      const token = requireToken(await this.tokens.resolve({ holder: `publication ${claim.id}`, ...publication }));
      const onWait = (error: HubError, seconds: number): void => this.#tellWait(claim, error, seconds);
      await this.steps.run({ claim, publication, token, signal, onWait });
    } catch (error) {
      const isCalledOff = signal.aborted || error instanceof JobLost;
      await this.#giveBack(claim, isCalledOff ? undefined : failureOf(error), error);
    } finally {
      await stopBeating();
    }
  }

  /** @param failure undefined when the attempt was called off: that is nobody's fault and does not count */
  async #giveBack(claim: JobClaim, failure: AttemptFailure | undefined, error: unknown): Promise<void> {
    const { id, attempt } = claim;
    const context = { publicationId: id, attempt };
    if (failure) this.logger.warn({ ...context, err: error, code: failure.code }, 'An attempt to publish failed');
    else this.logger.info(context, 'An attempt to publish was called off');
    const giveBack = async (manager: EntityManager): Promise<void> => {
      const failures = await this.leases.release(manager, claim, failure !== undefined);
      if (failures === undefined) return;
      if (await cancelIfWanted(manager, this.events, id)) return;
      if (!failure) return;
      const { code, detail, isPassing } = failure;
      if (!isPassing || failures >= failureLimit) {
        const told = { code, detail };
        await this.events.move(manager, id, 'fail', told);
        await manager.query('update publications set failure = $2 where id = $1', [id, JSON.stringify(told)]);
        return;
      }
      const waitSeconds = waitSecondsOf(failures, failure);
      await this.leases.postpone(manager, claim, waitSeconds);
      await this.events.append(manager, id, 'attempt-failed', { attempt, code, detail, waitSeconds });
    };
    // When even this fails, the lease ends by itself and somebody takes it again.
    await this.events.changing(id, giveBack).catch((reason: unknown) => {
      this.logger.warn({ ...context, err: reason }, 'Giving a publication back failed; its lease will end');
    });
  }

  #tellWait({ id }: JobClaim, { status, message }: HubError, seconds: number): void {
    if (seconds < toldWaitSeconds) return;
    void this.events
      .changing(id, (manager) => this.events.append(manager, id, 'wait', { seconds, status, detail: message }))
      .catch(() => undefined);
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
