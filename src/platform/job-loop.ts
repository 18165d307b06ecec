import { randomUUID } from 'node:crypto';
import type { Logger } from './logger.js';

/** How the jobs of one kind are taken and carried out. */
export interface JobSource<Claim> {
  /** Plural, for the log. */
  name: string;
  /** How many are carried out beside each other in one process. */
  atOnce: number;
  /** @returns nothing where no job waits */
  claim: (owner: string) => Promise<Claim | undefined>;
  run: (claim: Claim, stopping: AbortSignal) => Promise<void>;
}

/** Takes the jobs of one kind that wait, a few beside each other: for those that move bytes and wait for others. */
export class JobLoop<Claim> {
  /** This process; a new one after every start. */
  readonly #owner = randomUUID();
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #isWorker = false;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly source: JobSource<Claim>,
    private readonly logger: Logger,
  ) {}

  /** From here on this process takes jobs. */
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
        while (this.#running.size < this.source.atOnce && (await this.#takeOne())) this.#again = true;
      } catch (error) {
        // Most likely the database is away. The next sweep wakes us again.
        this.logger.warn({ err: error }, `Looking for ${this.source.name} failed`);
      }
    }
  }

  async #takeOne(): Promise<boolean> {
    const { signal } = this.#stopping;
    if (signal.aborted) return false;
    const claim = await this.source.claim(this.#owner);
    if (!claim) return false;
    const running = this.source.run(claim, signal).finally(() => {
      this.#running.delete(running);
      this.wakeSoon();
    });
    this.#running.add(running);
    return true;
  }
}
