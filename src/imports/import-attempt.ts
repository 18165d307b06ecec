import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AttemptFailure, failureLimit, waitSecondsOf, WorkerLost } from '../hub/hub-attempts.js';
import type { HubError } from '../hub/hub-error.js';
import { type JobClaim, JobLost } from '../platform/job-leases.js';
import { keepLease } from '../platform/leases.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { ImportEvents } from './import-events.js';
import { failureOf } from './import-failure.js';
import { ImportLeases } from './import-leases.js';
import { ImportSteps } from './import-steps.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { StoredImports } from './stored-imports.js';

/** Shorter waits are nothing to tell anybody. */
const toldWaitSeconds = 5;

/** One attempt at an import, from the claim to its end or to the fault that ends the attempt. */
@Injectable()
export class ImportAttempt {
  constructor(
    private readonly stored: StoredImports,
    private readonly leases: ImportLeases,
    private readonly events: ImportEvents,
    private readonly tokens: HubTokens,
    private readonly steps: ImportSteps,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never throws for what goes wrong: that becomes part of the import. @param stopping the process ends */
  async run(claim: JobClaim, stopping: AbortSignal): Promise<void> {
    const work = new AbortController();
    const signal = AbortSignal.any([work.signal, stopping]);
    const stopBeating = keepLease(
      {
        name: `import ${claim.id}`,
        renew: () => this.leases.renew(claim),
        onChange: (callback) => this.events.onChange(claim.id, callback),
      },
      work,
    );
    try {
      if (claim.failures > failureLimit) throw new WorkerLost();
      const stored = await this.stored.get(claim.id);
      const token = await this.tokens.resolve({
        ...{ holder: `import ${claim.id}`, sealedToken: stored.sealedToken, namespace: stored.tokenNamespace },
      });
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
  async #giveBack(claim: JobClaim, failure: AttemptFailure | undefined, error: unknown): Promise<void> {
    const { id, attempt } = claim;
    const context = { importId: id, attempt };
    if (failure) this.logger.warn({ ...context, err: error, code: failure.code }, 'An attempt to import failed');
    else this.logger.info(context, 'An attempt to import was called off');
    const giveBack = async (manager: EntityManager): Promise<void> => {
      const failures = await this.leases.release(manager, claim, failure !== undefined);
      if (failures === undefined || (await cancelIfWanted(manager, this.events, id)) || !failure) return;
      const { code, detail, isPassing } = failure;
      if (!isPassing || failures >= failureLimit) {
        await this.events.move(manager, id, 'fail', { code, detail });
        await manager.query('update imports set failure = $2 where id = $1', [id, JSON.stringify({ code, detail })]);
        return;
      }
      const waitSeconds = waitSecondsOf(failures, failure);
      await this.leases.postpone(manager, claim, waitSeconds);
      await this.events.append(manager, id, 'attempt-failed', { attempt, code, detail, waitSeconds });
    };
    // When even this fails, the lease ends by itself and somebody takes it again.
    await this.events.changing(id, giveBack).catch((reason: unknown) => {
      this.logger.warn({ ...context, err: reason }, 'Giving an import back failed; its lease will end');
    });
  }

  #tellWait({ id }: JobClaim, { status, message }: HubError, seconds: number): void {
    if (seconds < toldWaitSeconds) return;
    void this.events
      .changing(id, (manager) => this.events.append(manager, id, 'wait', { seconds, status, detail: message }))
      .catch(() => undefined);
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
