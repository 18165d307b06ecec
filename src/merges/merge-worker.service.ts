import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Config } from '../config.js';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { MergeQueue } from '../platform/queue.js';
import { CONFIG, DATABASE, LOGGER } from '../platform/tokens.js';
import { Upkeep } from './upkeep.js';
import { WorkLoop } from './work-loop.js';

/** A store that does not answer must not hold a stop up: what was not given back is free when its lease ends. */
const stopWithinMs = 7_000;

/** Starts and stops what carries merges out in this process; role `api` only keeps the books. */
@Injectable()
export class MergeWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly loop: WorkLoop,
    private readonly upkeep: Upkeep,
    private readonly queue: MergeQueue,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // An embedded database has one process, whose data directory is locked: whoever owned anything is dead.
    if (this.database.embedded) await this.upkeep.takeOver();
    const works = this.config.role !== 'api';
    const wake = (): void => void (works && this.loop.wake());
    await this.upkeep.start(works, wake);
    // The handler lasts as long as the work, so that a busy process leaves further rings to idle ones.
    if (works) {
      await this.queue.onAnnounced(() => this.loop.wake());
      this.logger.info({ threads: this.config.threads }, 'working');
    }
    wake();
  }

  /** Work is called off before anything that it needs goes away; what was begun is given back at once. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([this.loop.stop(), sleep(stopWithinMs, undefined, { ref: false })]);
    await this.upkeep.stop();
  }
}
