import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Merge, MergeRequest } from '../merges/merges.schema.js';
import { SubmissionService } from '../merges/submission.service.js';
import { KeptTokens } from '../hub/kept-tokens.js';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { parseRecipe } from '../recipe/index.js';
import { withCheckpoint } from './checkpoint-recipe.js';
import { refusalOf } from '../merges/refusal.js';
import { type ClaimedRun, RunQueue } from './run-queue.js';

/** 2 s to a minute: the reason is a database, a store or a worker that is away. */
const backoffSeconds = (attempts: number): number => Math.min(2 ** attempts, 60);

/** Somebody else submitted the run, or it is not wanted any more: the transaction is undone. */
class RunGone extends Error {}

/** Turns checkpoints whose turn has come into merges. */
@Injectable()
export class RunSubmission {
  constructor(
    private readonly database: DataSource,
    private readonly runs: RunQueue,
    private readonly merges: SubmissionService,
    private readonly tokens: KeptTokens,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns false when no run's turn has come */
  async submitNext(): Promise<boolean> {
    const run = await this.runs.claim();
    if (!run) return false;
    const { trigger, checkpoint } = run;
    try {
      const merge = await this.#submit(run);
      this.logger.info({ trigger, checkpoint, mergeId: merge.id }, 'A trigger started a merge');
    } catch (error) {
      if (!(error instanceof RunGone)) await this.#giveBack(run, error);
    }
    return true;
  }

  /** The merge and the run's note of it commit together: neither a crash nor a twin can make two of it. */
  #submit(run: ClaimedRun): Promise<Merge> {
    const commit = (work: (manager: EntityManager) => Promise<Merge>): Promise<Merge> =>
      this.database.transaction(async (manager) => {
        if (!(await this.runs.lock(manager, run))) throw new RunGone();
        const merge = await work(manager);
        await this.runs.submitted(manager, run, merge.id, merge.labels['trigger'] === run.trigger);
        return merge;
      });
    const token = this.tokens.find(`trigger ${run.triggerId}`, run.sealedToken);
    const submission = { request: requestOf(run), pointer: '', createdBy: run.createdBy, hubToken: token };
    return this.merges.submit(submission, commit);
  }

  async #giveBack(run: ClaimedRun, error: unknown): Promise<void> {
    const { trigger, checkpoint } = run;
    const refusal = refusalOf(error);
    if (refusal && !passing.has(refusal.code)) {
      this.logger.warn({ trigger, checkpoint, code: refusal.code }, 'A checkpoint cannot be merged');
      await this.runs.refused(run, refusal);
      return;
    }
    this.logger.warn({ trigger, checkpoint, err: error }, 'A checkpoint waits; its merge will be tried again');
    await this.runs.postpone(run, backoffSeconds(run.attempts), refusal);
  }
}

function requestOf({ recipe, checkpoint, options, output, trigger, isOvertaken }: ClaimedRun): MergeRequest {
  const filled = withCheckpoint(parseRecipe(recipe, { lenient: true }).recipe, checkpoint);
  const { alias, publish, ...rest } = options;
  return {
    ...rest,
    // Names and repositories move forwards only: an older checkpoint's merge is for the record.
    ...(alias !== undefined && !isOvertaken && { alias }),
    ...(publish !== undefined && !isOvertaken && { publish }),
    ...{ recipe: filled, output, keepStages: false, labels: { ...options.labels, trigger }, lenient: true },
  };
}

/** Refusals that end by themselves. */
const passing: ReadonlySet<string> = new Set(['no_gpu_worker']);
