import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import { requireWeights } from '../models/weights-expiry.service.js';
import { KnownResults } from './known-results.js';
import { MergeEvents } from './merge-events.js';
import { findMerge } from './merge-rows.js';
import type { Merge } from './merges.schema.js';
import { findTwin, headOf, insertMerge, insertShards, type NewMerge, type Submission } from './new-merge.js';
import type { PlannedMerge } from './planning.service.js';
import { versionInputs } from './version-inputs.js';

/** A twin can end between two statements; then the next look finds its result or room for this merge. */
const attempts = 3;

/** Takes merges in that can be carried out as they are. */
@Injectable()
export class PlannedMerges {
  constructor(
    private readonly known: KnownResults,
    private readonly events: MergeEvents,
  ) {}

  /** What writes the merge down in a transaction. @throws AppError weights_expired; unavailable */
  takingIn({ request, createdBy }: Submission, planned: PlannedMerge): (manager: EntityManager) => Promise<Merge> {
    const merge: NewMerge = { ...headOf(request, createdBy), planned };
    return (manager) => this.#takeIn(manager, merge);
  }

  async #takeIn(manager: EntityManager, merge: NewMerge): Promise<Merge> {
    const { inputs, plan } = merge.planned;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const found = (await this.known.reuse(manager, merge)) ?? (await this.#findTwin(manager, merge));
      if (found) return found;
      const id = randomUUID();
      if (!(await insertMerge(manager, id, merge))) continue;
      // Planned outside this transaction: meanwhile an input may have expired. From here on the merge holds it.
      const versionIds = versionInputs(inputs).map(({ versionId }) => versionId);
      await requireWeights(manager, versionIds);
      await insertShards(manager, id, merge.planned);
      await this.events.append(manager, id, 'queued', { shards: plan.shards.length });
      const answer = await findMerge(manager, id);
      if (answer) return answer;
    }
    throw new AppError('unavailable', 'The same merge keeps starting and ending; try again.');
  }

  async #findTwin(manager: EntityManager, merge: NewMerge): Promise<Merge | undefined> {
    const twin = await findTwin(manager, merge);
    return twin === undefined ? undefined : findMerge(manager, twin);
  }
}
