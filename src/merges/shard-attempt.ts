import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { keepLease } from '../platform/leases.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER, OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type AttemptFailure, attemptLimit, backoffSeconds, failureOf } from './failure.js';
import { MergeEvents } from './merge-events.js';
import { failMerge, finishCancelled, finishShards } from './merge-steps.js';
import { type ShardClaim, ShardLeases, type StoredShard } from './shard-leases.js';
import { ShardRunner } from './shard-runner.js';

/** Progress is told once a second at most: people watch it, and every telling is a row. */
const progressMs = 1_000;

/** One attempt at one shard, from the claim to the commit, with its heartbeat. */
@Injectable()
export class ShardAttempt {
  constructor(
    private readonly database: DataSource,
    private readonly leases: ShardLeases,
    private readonly runner: ShardRunner,
    private readonly events: MergeEvents,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never throws for what goes wrong with the shard: that becomes part of the merge. @param stopping the process ends */
  async run(claim: ShardClaim, stopping: AbortSignal): Promise<void> {
    const work = new AbortController();
    const signal = AbortSignal.any([work.signal, stopping]);
    const stopBeating = keepLease(
      {
        name: `shard ${claim.index}`,
        renew: () => this.leases.renew(claim),
        onChange: (callback) => this.events.onChange(claim.mergeId, callback),
      },
      work,
    );
    try {
      await this.#begin(claim);
      await this.#commit(claim, await this.#compute(claim, signal));
    } catch (error) {
      await this.#giveBack(claim, signal.aborted ? undefined : failureOf(error), error);
    } finally {
      await stopBeating();
    }
  }

  async #begin(claim: ShardClaim): Promise<void> {
    const { mergeId, index, attempt, owner } = claim;
    await this.events.changing(mergeId, async (manager) => {
      await this.events.move(manager, mergeId, 'start');
      await this.events.append(manager, mergeId, 'shard', { index, state: 'running', attempt, worker: owner });
    });
  }

  async #compute(claim: ShardClaim, signal: AbortSignal): Promise<StoredShard> {
    let [done, told] = [0, 0];
    let telling: Promise<void> = Promise.resolve();
    const tell = async (): Promise<void> => {
      await this.leases.progress(claim, told);
      await this.events.tellProgress(claim.mergeId);
    };
    const timer = setInterval(() => {
      if (done === told) return;
      told = done;
      telling = telling.then(tell).catch(() => undefined);
    }, progressMs);
    try {
      return await this.runner.run(claim, signal, (bytes) => (done = bytes));
    } finally {
      clearInterval(timer);
      await telling;
    }
  }

  /** The fenced commit; the one of the last shard moves the merge on. A stale owner's result is thrown away. */
  async #commit(claim: ShardClaim, stored: StoredShard): Promise<void> {
    const { mergeId, index, attempt } = claim;
    const isOurs = await this.events.changing(mergeId, async (manager) => {
      const [merge] = await manager.query<{ wanted: boolean }[]>(
        `select state = 'running' and cancel_requested_at is null as wanted from merges where id = $1 for update`,
        [mergeId],
      );
      if (merge?.wanted !== true || !(await this.leases.commit(manager, claim, stored))) return false;
      const { sha256, bytes } = stored;
      await this.events.append(manager, mergeId, 'shard', { index, state: 'done', attempt, sha256, bytes });
      await finishShards(manager, this.events, mergeId);
      return true;
    });
    if (isOurs) return;
    this.logger.info({ mergeId, shard: index, attempt }, 'A shard was finished after it had been given to another');
    await this.store.delete(stored.objectKey);
    await this.leases.release(this.database.manager, claim);
  }

  /** @param failure undefined when the attempt was called off: that is nobody's fault and does not count */
  async #giveBack(claim: ShardClaim, failure: AttemptFailure | undefined, error: unknown): Promise<void> {
    const { mergeId, index, attempt } = claim;
    const context = { mergeId, shard: index, attempt };
    if (failure) this.logger.warn({ ...context, err: error, code: failure.code }, 'An attempt at a shard failed');
    else this.logger.info(context, 'An attempt at a shard was called off');
    const giveBack = async (manager: EntityManager): Promise<void> => {
      const isCancelled = await lockMerge(manager, mergeId);
      const failures = await this.leases.release(manager, claim, { failed: failure !== undefined });
      if (isCancelled) {
        await finishCancelled(manager, this.events, mergeId);
        return;
      }
      if (failures === undefined || !failure) return;
      if (!failure.isPassing || failures >= attemptLimit) return failMerge(manager, this.events, mergeId, failure);
      const { code, detail } = failure;
      const waitSeconds = backoffSeconds(failures);
      await manager.query(
        `update merge_shards set lease_until = now() + $3::int * interval '1 second' where merge_id = $1 and index = $2`,
        [mergeId, index, waitSeconds],
      );
      await this.events.append(manager, mergeId, 'shard', {
        index,
        state: 'pending',
        attempt,
        code,
        detail,
        waitSeconds,
      });
    };
    // When even this fails, the lease ends by itself and the sweep takes the shard back.
    await this.events.changing(mergeId, giveBack).catch((reason: unknown) => {
      this.logger.warn({ ...context, err: reason }, 'Giving a shard back failed; its lease will end');
    });
  }
}

/** Locks the merge's row, before any row of its shards: in this order everywhere. @returns whether it is to be cancelled */
async function lockMerge(manager: EntityManager, mergeId: string): Promise<boolean> {
  const [merge] = await manager.query<{ cancelled: boolean }[]>(
    'select cancel_requested_at is not null as cancelled from merges where id = $1 for update',
    [mergeId],
  );
  return merge?.cancelled === true;
}
