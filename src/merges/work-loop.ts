import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { FinalizationAttempt } from './finalization-attempt.js';
import { Finalizations } from './finalizations.js';
import { ShardAttempt } from './shard-attempt.js';
import { ShardLeases } from './shard-leases.js';
import { Workers } from './workers.js';

/**
 * Takes whatever waits, one thing at a time: a shard uses all threads of the process. Merges that only lack their
 * version come first, because they are done in a moment and somebody waits for them.
 */
@Injectable()
export class WorkLoop {
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly workers: Workers,
    private readonly shards: ShardLeases,
    private readonly finalizations: Finalizations,
    private readonly shardAttempt: ShardAttempt,
    private readonly finalizationAttempt: FinalizationAttempt,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Looks for work. @returns when there is none left for this process, or it stops */
  wake(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
    return this.#working;
  }

  /** Calls off what is being done, gives it back, and takes nothing any more. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the service is stopping'));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      try {
        while (await this.#takeOne(signal)) this.#again = true;
      } catch (error) {
        // Most likely the database is away. The next sweep wakes us again.
        this.logger.warn({ err: error }, 'Looking for work failed');
      }
    }
  }

  /** @returns false when there was nothing to take, or the process stops */
  async #takeOne(stopping: AbortSignal): Promise<boolean> {
    if (stopping.aborted) return false;
    const { id, pool } = this.workers;
    const merge = await this.finalizations.claim(id);
    if (merge) {
      await this.finalizationAttempt.run(merge, stopping);
      return true;
    }
    const shard = await this.shards.claim(id, pool);
    if (!shard) return false;
    await this.shardAttempt.run(shard, stopping);
    return true;
  }
}
