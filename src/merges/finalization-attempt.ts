import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { attemptLimit, backoffSeconds, failureOf } from './failure.js';
import { type FinalClaim, Finalizations } from './finalizations.js';
import { Finalizer } from './finalizer.js';
import { MergeEvents } from './merge-events.js';
import { failMerge, finishCancelled } from './merge-steps.js';
import { NewVersions } from './new-versions.js';
import { heartbeatMs } from './shard-leases.js';
import { StoredMerges } from './stored-merges.js';

/** One attempt to make the version of a merge whose shards are done. */
@Injectable()
export class FinalizationAttempt {
  constructor(
    private readonly leases: Finalizations,
    private readonly merges: StoredMerges,
    private readonly finalizer: Finalizer,
    private readonly versions: NewVersions,
    private readonly events: MergeEvents,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never throws for what goes wrong with the merge. @param stopping the process ends */
  async run(claim: FinalClaim, stopping: AbortSignal): Promise<void> {
    const timer = setInterval(() => void this.leases.renew(claim).catch(() => undefined), heartbeatMs);
    try {
      const merge = await this.merges.get(claim.mergeId);
      const shards = await this.merges.listShardFiles(claim.mergeId);
      const reports = await this.merges.listReports(claim.mergeId);
      const files = await this.finalizer.writeFiles(claim, merge, shards, reports);
      // The commit is short and fenced: a process that ends may still do it, but need not begin it.
      stopping.throwIfAborted();
      if (await this.versions.commit(claim, merge, files)) return;
      this.logger.info({ mergeId: claim.mergeId }, 'A merge was finished after it had been given to another');
      await this.#giveBack(claim, undefined);
    } catch (error) {
      await this.#giveBack(claim, stopping.aborted ? undefined : error);
    } finally {
      clearInterval(timer);
    }
  }

  async #giveBack(claim: FinalClaim, error: unknown): Promise<void> {
    const { mergeId } = claim;
    const failure = error === undefined ? undefined : failureOf(error);
    if (failure) this.logger.warn({ mergeId, err: error, code: failure.code }, 'Making a version failed');
    const giveBack = async (manager: EntityManager): Promise<void> => {
      const failures = await this.leases.release(manager, claim, { failed: failure !== undefined });
      if (failures === undefined) return;
      if (failure && (!failure.isPassing || failures >= attemptLimit)) {
        return failMerge(manager, this.events, mergeId, failure);
      }
      const [merge] = await manager.query<{ cancelled: boolean }[]>(
        'select cancel_requested_at is not null as cancelled from merges where id = $1',
        [mergeId],
      );
      if (merge?.cancelled) {
        await finishCancelled(manager, this.events, mergeId);
        return;
      }
      if (failure) {
        await manager.query(`update merges set lease_until = now() + $2::int * interval '1 second' where id = $1`, [
          mergeId,
          backoffSeconds(failures),
        ]);
      }
    };
    await this.events.changing(mergeId, giveBack).catch((reason: unknown) => {
      this.logger.warn({ mergeId, err: reason }, 'Giving a merge back failed; its lease will end');
    });
  }
}
