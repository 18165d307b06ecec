import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { ImportAttempt } from './import-attempt.js';
import { ImportLeases } from './import-leases.js';

/** At once in one process: a second line is rarely faster, but a small model need not wait for a large one. */
const atOnce = 2;

/** Takes whatever waits to be imported. It only moves bytes, so it works beside the merges of the same process. */
@Injectable()
export class ImportLoop {
  /** This process; a new one after every start. */
  readonly #owner = randomUUID();
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #isWorker = false;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly leases: ImportLeases,
    private readonly attempt: ImportAttempt,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** From here on this process takes imports. */
  start(): void {
    this.#isWorker = true;
    this.wakeSoon();
  }

  /** Looks for work, without anybody waiting for it. A lost call costs a sweep, nothing else. */
  wakeSoon(): void {
    if (!this.#isWorker) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
  }

  /** Calls off what is being done, gives it back, and takes nothing any more. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the service is stopping'));
    await this.#looking;
    await Promise.all(this.#running);
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      try {
        while (this.#running.size < atOnce && (await this.#takeOne())) this.#again = true;
      } catch (error) {
        // Most likely the database is away. The next sweep wakes us again.
        this.logger.warn({ err: error }, 'Looking for imports failed');
      }
    }
  }

  async #takeOne(): Promise<boolean> {
    const { signal } = this.#stopping;
    if (signal.aborted) return false;
    const claim = await this.leases.claim(this.#owner);
    if (!claim) return false;
    const running = this.attempt.run(claim, signal).finally(() => {
      this.#running.delete(running);
      this.wakeSoon();
    });
    this.#running.add(running);
    return true;
  }
}
