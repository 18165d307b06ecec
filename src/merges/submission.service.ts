import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { requireWeights } from '../models/weights-expiry.service.js';
import { MergePublications } from '../publishing/merge-publications.service.js';
import { Doorbell } from './doorbell.js';
import { KnownResults } from './known-results.js';
import { MergeEvents } from './merge-events.js';
import { findMerge } from './merge-rows.js';
import type { Merge, MergeRequest } from './merges.schema.js';
import { insertMerge, insertShards, type NewMerge } from './new-merge.js';
import { type PlannedMerge, PlanningService } from './planning.service.js';
import { Workers } from './workers.js';

/** A twin can end between two statements; then the next look finds its result or room for this merge. */
const attempts = 3;

/** Takes merges in: once one is answered, it is written down and cannot be lost. */
@Injectable()
export class SubmissionService {
  constructor(
    private readonly planning: PlanningService,
    private readonly known: KnownResults,
    private readonly events: MergeEvents,
    private readonly workers: Workers,
    private readonly doorbell: Doorbell,
    private readonly publications: MergePublications,
  ) {}

  /**
   * Plans the merge and writes it down in the transaction that `commit` runs.
   * @param pointer where the recipe is in the request
   * @param hubToken for the publication that the request may ask for
   * @returns the new merge, its living twin, or with `deduplicated` the merge whose bytes are there already
   * @throws RecipeError, EngineError, AppError no_gpu_worker, weights_expired, hub_token_missing and those of references
   */
  async submit(
    request: MergeRequest,
    pointer: string,
    createdBy: string,
    commit: Commit<Merge>,
    hubToken?: string,
  ): Promise<Merge> {
    await this.workers.requireDevice(request.device);
    const planned = await this.planning.plan({ ...request, pointer });
    const [namespace = '', name = ''] = request.output.split('/');
    const { alias, device, labels = {}, publish } = request;
    const merge: NewMerge = { namespace, name, alias, device, labels, createdBy, planned };
    const answer = await commit(async (manager) => {
      const taken = await this.#takeIn(manager, merge);
      if (publish !== undefined) {
        await this.publications.add(manager, taken.id, { repository: publish, token: hubToken }, createdBy);
      }
      return taken;
    });
    this.events.announce(answer.id);
    // What is committed must be answered; the sweep rings too.
    await this.doorbell.ring().catch(() => undefined);
    return answer;
  }

  async #takeIn(manager: EntityManager, merge: NewMerge): Promise<Merge> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const found = (await this.known.reuse(manager, merge)) ?? (await findTwin(manager, merge));
      if (found) return found;
      const id = randomUUID();
      if (!(await insertMerge(manager, id, merge))) continue;
      // Planned outside this transaction: meanwhile an input may have expired. From here on the merge holds it.
      await requireWeights(manager, versionIds(merge.planned));
      await insertShards(manager, id, merge.planned);
      await this.events.append(manager, id, 'queued', { shards: merge.planned.plan.shards.length });
      const answer = await findMerge(manager, id);
      if (answer) return answer;
    }
    throw new AppError('unavailable', 'The same merge keeps starting and ending; try again.');
  }
}

function versionIds({ inputs }: PlannedMerge): string[] {
  return inputs.map(({ versionId }) => versionId);
}

/** A merge that does the same for the same name and alias, and is not yet done. */
async function findTwin(
  manager: EntityManager,
  { namespace, name, alias, planned }: NewMerge,
): Promise<Merge | undefined> {
  const [twin] = await manager.query<{ id: string }[]>(
    `select id from merges where plan_digest = $1 and output_namespace = $2 and output_name = $3
       and output_alias is not distinct from $4 and state not in ('succeeded', 'failed', 'cancelled')`,
    [planned.plan.digest, namespace, name, alias ?? null],
  );
  return twin && findMerge(manager, twin.id);
}
