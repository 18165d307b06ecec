import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Config } from '../config.js';
import type { Database } from './database.js';
import type { Logger } from './logger.js';
import { RegularWork } from './regular-work.js';

/**
 * These jobs take minutes: a look at the table every 2 s finds what other processes wrote down soon enough, so they have
 * no queue of their own that could lose anything.
 */
const sweepMs = 2_000;
const stopWithinMs = 7_000;

/** The jobs of one kind, and what is done for them regularly. */
export interface WorkedJobs {
  /** Plural, for the log. */
  name: string;
  loop: { start: () => void; stop: () => Promise<void>; wakeSoon: () => void };
  keeping: {
    /** Frees what a dead process of the same home owned. */
    takeOver: () => Promise<void>;
    /** Puts right what crashes and cancellations left. */
    sweep: () => Promise<void>;
  };
}

/** The process that jobs are carried out in. */
export interface WorkingProcess {
  config: Config;
  database: Database;
  logger: Logger;
}

/** Starts and stops what carries jobs of one kind out in this process; role `api` only takes them in. */
export abstract class JobWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  protected readonly regular: RegularWork;

  constructor(
    private readonly jobs: WorkedJobs,
    private readonly process: WorkingProcess,
  ) {
    this.regular = new RegularWork(process.logger);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { name, loop, keeping } = this.jobs;
    // An embedded database has one process, whose data directory is locked: whoever owned anything is dead.
    if (this.process.database.embedded) await keeping.takeOver();
    if (this.process.config.role !== 'api') loop.start();
    this.regular.every(sweepMs, `looking after ${name}`, async () => {
      await keeping.sweep().finally(() => loop.wakeSoon());
    });
  }

  /** Work is called off before anything that it needs goes away; what was begun is given back at once. */
  async beforeApplicationShutdown(): Promise<void> {
    const swept = this.regular.stop();
    await Promise.race([this.jobs.loop.stop(), sleep(stopWithinMs, undefined, { ref: false })]);
    await swept;
  }
}
