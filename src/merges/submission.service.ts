import { Injectable } from '@nestjs/common';
import type { Commit } from '../http/effects.js';
import { MergePublications } from '../publishing/merge-publications.service.js';
import { Doorbell } from './doorbell.js';
import type { Merge } from './merges.schema.js';
import type { Submission } from './new-merge.js';
import { PlannedMerges } from './planned-merges.service.js';
import { PlanningService } from './planning.service.js';
import { NewPreparations } from './preparation/new-preparations.service.js';
import { Workers } from './workers.js';

/** Takes merges in: once one is answered, it is written down and cannot be lost. */
@Injectable()
export class SubmissionService {
  constructor(
    private readonly planning: PlanningService,
    private readonly workers: Workers,
    private readonly merges: PlannedMerges,
    private readonly preparations: NewPreparations,
    private readonly publications: MergePublications,
    private readonly doorbell: Doorbell,
  ) {}

  /**
   * Plans the merge, if all its models are in the registry, and writes it down in the transaction that `commit` runs.
   * One whose models have to be fetched or merged first is planned later: what can be refused now is.
   * @returns the new merge, its living twin, or with `deduplicated` the merge whose bytes are there already
   * @throws RecipeError, EngineError, AppError no_gpu_worker, weights_expired, hub_token_missing, secrets_unavailable and
   *   those of references
   */
  async submit(submission: Submission, commit: Commit<Merge>): Promise<Merge> {
    const { request, pointer, createdBy, hubToken: token } = submission;
    await this.workers.requireDevice(request.device);
    const parsed = await this.planning.read({ ...request, pointer });
    const [namespace = ''] = request.output.split('/');
    const takeIn = (await this.planning.isElsewhere(parsed, pointer, token, namespace))
      ? this.preparations.takingIn(submission, parsed.recipe)
      : this.merges.takingIn(submission, await this.planning.plan({ ...request, pointer }, { parsed }));
    const answer = await commit(async (manager) => {
      const taken = await takeIn(manager);
      if (request.publish !== undefined) {
        await this.publications.add(manager, taken.id, { repository: request.publish, token }, createdBy);
      }
      return taken;
    });
    this.preparations.wakeSoon();
    // What is committed must be answered; the sweep rings too.
    await this.doorbell.ring().catch(() => undefined);
    return answer;
  }
}
