import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '../platform/logger.js';
import { RegularWork } from '../platform/regular-work.js';
import { LOGGER } from '../platform/tokens.js';
import { Garbage } from './garbage.js';
import { heartbeatMs } from './shard-leases.js';
import { Sweep } from './sweep.js';
import { Workers } from './workers.js';

/** Of the 20 s in which a crash must be repaired, a lease takes 9. */
const sweepMs = 2_000;
const garbageMs = 30_000;

/** What is done regularly, in every process: each statement is harmless when several do it at once. */
@Injectable()
export class Upkeep {
  readonly #regular: RegularWork;

  constructor(
    private readonly sweep: Sweep,
    private readonly garbage: Garbage,
    private readonly workers: Workers,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#regular = new RegularWork(logger);
  }

  /** What a dead process of the same home left, when it can have been the only one. */
  async takeOver(): Promise<void> {
    await this.sweep.takeOver();
    await this.garbage.clearScratch();
  }

  /** @param works whether this process is a worker @param wake called after each sweep */
  async start(works: boolean, wake: () => void): Promise<void> {
    if (works) {
      await this.workers.beat();
      this.#regular.every(heartbeatMs, 'the heartbeat of a worker', () => this.workers.beat());
    }
    this.#regular.every(sweepMs, 'a sweep', async () => {
      await this.sweep.run();
      wake();
    });
    this.#regular.every(garbageMs, 'deleting what merges left', async () => {
      await this.workers.forgetDead();
      await this.garbage.collect();
    });
  }

  async stop(): Promise<void> {
    await this.#regular.stop();
    await this.workers.leave().catch(() => undefined);
  }
}
