import type { Logger } from './logger.js';

/** What a process does every so often, until it stops. */
export class RegularWork {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly logger: Logger) {}

  /** One at a time of its kind: a slow database must not be asked faster than it answers. */
  every(milliseconds: number, what: string, work: () => Promise<void>): void {
    let underway = false;
    const run = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        this.logger.warn({ err: error }, `${what} failed; it will be tried again`);
      } finally {
        underway = false;
      }
    };
    const timer = setInterval(() => {
      if (underway) return;
      underway = true;
      const running = run().finally(() => this.#running.delete(running));
      this.#running.add(running);
    }, milliseconds);
    this.#timers.push(timer);
  }

  /** Begins nothing any more. @returns when what is under way has ended */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#running);
  }
}
