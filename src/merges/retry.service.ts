import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { requireWeights } from '../models/weights-expiry.service.js';
import { Doorbell } from './doorbell.js';
import { MergeEvents } from './merge-events.js';
import { findMerge } from './merge-rows.js';
import type { Merge, Plan } from './merges.schema.js';
import { mergeNotFound } from './merges.service.js';
import { finishShards } from './merge-steps.js';
import { insertShards } from './new-merge.js';
import { type PlannedMerge, PlanningService } from './planning.service.js';
import { SecondPreparations } from './preparation/second-preparations.js';
import { versionInputs } from './version-inputs.js';
import { Workers } from './workers.js';

const uniqueViolation = '23505';

interface EndedMerge {
  state: Merge['state'];
  pinned_recipe: unknown;
  seed: string | null;
  shard_bytes: string;
  plan_digest: string | null;
  device: 'auto' | 'cpu' | 'gpu';
  summary: Plan | null;
}

/** One that came as far as that all its inputs were there. */
type EndedPlanned = EndedMerge & { plan_digest: string; summary: Plan };

function isPlanned(merge: EndedMerge): merge is EndedPlanned {
  return merge.plan_digest !== null;
}

/** A second life for merges that failed or were cancelled. */
@Injectable()
export class RetryService {
  constructor(
    private readonly database: DataSource,
    private readonly planning: PlanningService,
    private readonly events: MergeEvents,
    private readonly workers: Workers,
    private readonly doorbell: Doorbell,
    private readonly preparations: SecondPreparations,
  ) {}

  /**
   * Queues a merge again, planned anew with the same models. What was done stays done as long as the plan is the same
   * and its objects were not cleared away. What had to be fetched or merged first, and did not come, is tried again too.
   * @param hubToken in place of the one that was forgotten when the merge ended
   * @throws AppError merge_not_found, merge_not_retryable, merge_twin_running, no_gpu_worker, weights_expired;
   *   EngineError
   */
  async retry(id: string, hubToken: string | undefined, commit: Commit<Merge>): Promise<Merge> {
    const ended = await this.#getEnded(this.database.manager, id, '');
    await this.workers.requireDevice(ended.device);
    if (!isPlanned(ended)) {
      const lock = (manager: EntityManager): Promise<unknown> => this.#getEnded(manager, id, 'for update');
      const retryStage = (stage: string, plain: Commit<Merge>): Promise<Merge> => this.retry(stage, hubToken, plain);
      return this.preparations.retry(id, hubToken, { commit, lock, retryStage });
    }
    const planned = await this.planning.plan({
      recipe: ended.pinned_recipe,
      pointer: '/recipe',
      lenient: true,
      seed: Number(ended.seed),
      shardBytes: Number(ended.shard_bytes),
      report: ended.summary.report,
      allowNan: ended.summary.allowNan,
    });
    const merge = await commit(async (manager) => {
      await this.#getEnded(manager, id, 'for update');
      await requireWeights(
        manager,
        versionInputs(planned.inputs).map(({ versionId }) => versionId),
      );
      await this.#begin(manager, id, planned);
      const answer = await findMerge(manager, id);
      if (!answer) throw mergeNotFound(id);
      return answer;
    }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== uniqueViolation) throw error;
      throw new AppError('merge_twin_running', 'The same merge was submitted again and is being carried out.');
    });
    this.events.announce(id);
    // What is committed must be answered; the sweep rings too.
    await this.doorbell.ring().catch(() => undefined);
    return merge;
  }

  async #getEnded(manager: EntityManager, id: string, lock: 'for update' | ''): Promise<EndedMerge> {
    const [row] = await manager.query<EndedMerge[]>(
      `select state, pinned_recipe, seed, shard_bytes, plan_digest, device, summary from merges where id = $1 ${lock}`,
      [id],
    );
    if (!row) throw mergeNotFound(id);
    if (row.state === 'failed' || row.state === 'cancelled') return row;
    throw new AppError('merge_not_retryable', `The merge is ${row.state}.`);
  }

  async #begin(manager: EntityManager, id: string, planned: PlannedMerge): Promise<void> {
    const { plan, summary } = planned;
    // Shards of another plan are other files. Their attempts go on counting, so that no object is ever written twice.
    await manager.query(
      `update merge_shards set state = 'pending', sha256 = null, bytes = null, object_key = null, reports = null, done_bytes = 0
       where merge_id = $1 and exists (select 1 from merges where id = $1 and plan_digest <> $2)`,
      [id, plan.digest],
    );
    await manager.query('delete from merge_shards where merge_id = $1 and index >= $2', [id, plan.shards.length]);
    await manager.query(
      `update merge_shards set failures = 0, lease_until = null, announced_at = null
       where merge_id = $1 and state = 'pending'`,
      [id],
    );
    await manager.query(
      `update merges set plan = $2, plan_digest = $3, summary = $4, failure = null, failures = 0, owner = null,
              lease_until = null, cancel_requested_at = null, freed_at = null where id = $1`,
      [id, JSON.stringify(plan), plan.digest, JSON.stringify(summary)],
    );
    await insertShards(manager, id, planned);
    await this.events.move(manager, id, 'retry', { shards: plan.shards.length });
    await finishShards(manager, this.events, id);
  }
}
