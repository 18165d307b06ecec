import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { HubLine } from '../../hub/hub-file-reader.js';
import { requireWeights } from '../../models/weights-expiry.service.js';
import type { JobClaim } from '../../platform/job-leases.js';
import { KnownResults } from '../known-results.js';
import { MergeEvents } from '../merge-events.js';
import { findTwin, insertShards, type NewMerge, planMerge } from '../new-merge.js';
import { type PlannedMerge, PlanningService } from '../planning.service.js';
import { versionInputs } from '../version-inputs.js';
import { Beginnings } from './beginnings.js';
import { listNeeds } from './needs.js';
import { forgetToken } from './preparation-request.js';
import { NeedFailed } from './preparation-failure.js';
import { PreparationLeases } from './preparation-leases.js';
import type { StoredPreparation } from './stored-preparations.js';

/** One attempt at preparing a merge. */
export interface PreparationWork {
  claim: JobClaim;
  stored: StoredPreparation;
  line: HubLine;
}

/** A twin is carried out: its result is looked for this often. */
const twinSeconds = 5;

/**
 * Plans a merge from headers, begins what has to be fetched or merged first, and plans it once more when that is there.
 * Nothing is fetched for a merge whose plan fails, or whose result is there already.
 */
@Injectable()
export class PreparationSteps {
  constructor(
    private readonly database: DataSource,
    private readonly planning: PlanningService,
    private readonly known: KnownResults,
    private readonly beginnings: Beginnings,
    private readonly leases: PreparationLeases,
    private readonly events: MergeEvents,
  ) {}

  /** @throws RecipeError, EngineError, AppError, HubError, StorageError, NeedFailed, JobLost */
  async run({ claim, stored, line }: PreparationWork): Promise<void> {
    if (stored.state === 'queued') await this.#change(claim, (manager) => this.events.move(manager, claim.id, 'plan'));
    const needs = await listNeeds(this.database.manager, claim.id);
    const failed = needs.find(({ state }) => state !== 'succeeded');
    if (failed) throw new NeedFailed(failed);
    const meanings = new Map(needs.map(({ reference, version }) => [reference, version ?? reference]));
    const planned = await this.planning.plan(stored.request, { line, meanings, namespace: stored.namespace });
    line.signal.throwIfAborted();
    const merge: NewMerge = { ...stored, alias: stored.alias ?? undefined, planned };
    await this.#change(claim, async (manager) => {
      // Given back first: what follows needs no lease, and whoever waits is no worker that died.
      await this.leases.release(manager, claim, false);
      if (await this.known.end(manager, claim.id, merge)) return;
      if (await findTwin(manager, merge)) return this.leases.postpone(manager, claim, twinSeconds);
      if (planned.awaited.length > 0) return this.#await(manager, stored, planned);
      return this.#settle(manager, stored, planned);
    });
  }

  /** A transaction of the attempt. @throws JobLost */
  async #change(claim: JobClaim, work: (manager: EntityManager) => Promise<unknown>): Promise<void> {
    await this.events.changing(claim.id, async (manager) => {
      await this.leases.lock(manager, claim);
      await work(manager);
    });
  }

  async #await(manager: EntityManager, stored: StoredPreparation, planned: PlannedMerge): Promise<void> {
    const { summary, plan } = planned;
    await manager.query('update merges set summary = $2 where id = $1', [stored.id, JSON.stringify(summary)]);
    await manager.query('update merge_preparations set first_digest = $2 where merge_id = $1', [
      stored.id,
      plan.digest,
    ]);
    const begun = await this.beginnings.begin(manager, stored, planned);
    await this.events.move(manager, stored.id, 'fetch', { needs: begun, bytesTotal: summary.fetchBytes });
  }

  /** From here on it is a merge like any other. */
  async #settle(manager: EntityManager, { id }: StoredPreparation, planned: PlannedMerge): Promise<void> {
    // Planned outside this transaction: meanwhile an input may have expired. From here on the merge holds it.
    const inputs = versionInputs(planned.inputs);
    await requireWeights(
      manager,
      inputs.map(({ versionId }) => versionId),
    );
    await planMerge(manager, id, planned);
    await insertShards(manager, id, planned);
    await forgetToken(manager, id);
    await this.events.move(manager, id, 'start', { shards: planned.plan.shards.length });
  }
}
