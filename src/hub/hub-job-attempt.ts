import type { EntityManager } from 'typeorm';
import type { EventLog } from '../platform/event-log.js';
import { type JobClaim, type JobLeases, JobLost } from '../platform/job-leases.js';
import { keepLease } from '../platform/leases.js';
import type { Logger } from '../platform/logger.js';
import { type AttemptFailure, failureLimit, waitSecondsOf, WorkerLost } from './hub-attempts.js';
import type { HubError } from './hub-error.js';
import type { OnWait } from './hub-waiting.js';

/** Jobs of one kind that speak to the Hub. */
export interface HubJobs {
  /** What an attempt tries, for the log: `to import`. */
  doing: string;
  /** What names a job in the log: `importId`. */
  idName: string;
  leases: JobLeases;
  events: Pick<EventLog<string, string>, 'append' | 'changing' | 'onChange'>;
  logger: Logger;
}

/** What an attempt's calls to the Hub need beside a token. */
export interface AttemptLine {
  signal: AbortSignal;
  onWait: OnWait;
}

/** Shorter waits are nothing to tell anybody. */
const toldWaitSeconds = 5;

/** One attempt at a job, from the claim to its end or to the fault that ends the attempt. */
export abstract class HubJobAttempt<Failure extends AttemptFailure = AttemptFailure> {
  constructor(private readonly jobs: HubJobs) {}

  /** What the attempt does. What it throws becomes part of the job. */
  protected abstract work(claim: JobClaim, line: AttemptLine): Promise<void>;

  /** What to tell the user of what was thrown. */
  protected abstract failureOf(error: unknown): Failure;

  /** Inside a transaction: ends the job if its cancellation was asked for. @returns whether it was */
  protected abstract cancelIfWanted(manager: EntityManager, id: string): Promise<boolean>;

  /** Inside a transaction: ends the job. */
  protected abstract fail(manager: EntityManager, id: string, failure: Failure): Promise<void>;

  /** Never throws for what goes wrong: that becomes part of the job. @param stopping the process ends */
  async run(claim: JobClaim, stopping: AbortSignal): Promise<void> {
    const { leases, events, doing } = this.jobs;
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, stopping]);
    const stopBeating = keepLease(
      {
        name: `the attempt ${doing} ${claim.id}`,
        renew: () => leases.renew(claim),
        onChange: (callback) => events.onChange(claim.id, callback),
      },
      ending,
    );
    try {
      if (claim.failures > failureLimit) throw new WorkerLost();
      await this.work(claim, { signal, onWait: (error, seconds) => this.#tellWait(claim, error, seconds) });
    } catch (error) {
      const isCalledOff = signal.aborted || error instanceof JobLost;
      await this.#giveBack(claim, isCalledOff ? undefined : this.failureOf(error), error);
    } finally {
      await stopBeating();
    }
  }

  /** @param failure undefined when the attempt was called off: that is nobody's fault and does not count */
  async #giveBack(claim: JobClaim, failure: Failure | undefined, error: unknown): Promise<void> {
    const { leases, events, logger, doing, idName } = this.jobs;
    const { id, attempt } = claim;
    const context = { [idName]: id, attempt };
    if (failure) logger.warn({ ...context, err: error, code: failure.code }, `An attempt ${doing} failed`);
    else logger.info(context, `An attempt ${doing} was called off`);
    const giveBack = async (manager: EntityManager): Promise<void> => {
      const failures = await leases.release(manager, claim, failure !== undefined);
      if (failures === undefined || (await this.cancelIfWanted(manager, id)) || !failure) return;
      if (!failure.isPassing || failures >= failureLimit) return this.fail(manager, id, failure);
      const waitSeconds = waitSecondsOf(failures, failure);
      await leases.postpone(manager, claim, waitSeconds);
      const { code, detail } = failure;
      await events.append(manager, id, 'attempt-failed', { attempt, code, detail, waitSeconds });
    };
    // When even this fails, the lease ends by itself and somebody takes it again.
    await events.changing(id, giveBack).catch((reason: unknown) => {
      logger.warn({ ...context, err: reason }, `Giving back what an attempt ${doing} had failed; its lease will end`);
    });
  }

  #tellWait({ id }: JobClaim, { status, message }: HubError, seconds: number): void {
    if (seconds < toldWaitSeconds) return;
    const { events } = this.jobs;
    void events
      .changing(id, (manager) => events.append(manager, id, 'wait', { seconds, status, detail: message }))
      .catch(() => undefined);
  }
}
