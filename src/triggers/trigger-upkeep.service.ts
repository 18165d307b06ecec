import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { RegularWork } from '../platform/regular-work.js';
import { DATABASE, LOGGER } from '../platform/tokens.js';
import { Arrivals } from './arrivals.js';
import { Retention } from './retention.js';
import { RunQueue } from './run-queue.js';
import { RunSubmission } from './run-submission.js';

/** As the sweep of merges: a checkpoint has taken hours, and its merge takes minutes. */
const lookMs = 2_000;
const retentionMs = 10_000;

/** What triggers do, in every process: each step is harmless when several do it at once. */
@Injectable()
export class TriggerUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #regular: RegularWork;
  #isStopping = false;

  constructor(
    private readonly arrivals: Arrivals,
    private readonly queue: RunQueue,
    private readonly submission: RunSubmission,
    private readonly retention: Retention,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#regular = new RegularWork(logger);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.database.embedded) await this.queue.takeOver();
    this.#regular.every(lookMs, 'looking for checkpoints', () => this.look());
    this.#regular.every(retentionMs, 'freeing expired weights', () => this.retention.run());
  }

  /** Writes down what has come and submits what can be. */
  async look(): Promise<void> {
    await this.arrivals.record();
    while (!this.#isStopping && (await this.submission.submitNext()));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopping = true;
    await this.#regular.stop();
  }
}
