import type { Config } from '../config.js';
import type { Database } from './database.js';
import type { Logger } from './logger.js';
import { openTransport, type Hearer, type QueueTransport } from './queue-transport.js';

/** "Look at this shard": nothing else travels through the queue, and nothing is decided by it. */
export interface Announcement {
  shardId: string;
  attempt: number;
  announcement: number;
}

/** `signal` aborts when the queue closes; the handler then lets go of its work soon. */
export type AnnouncementHandler = (announcement: Announcement, signal: AbortSignal) => Promise<void>;

/** Ringing is best effort: whoever announces has better things to do than to wait for a dead Redis. */
const ringWithinMilliseconds = 1000;
const closeWithinMilliseconds = 5000;

/**
 * The doorbell of the merges. A lost ring costs one sweep, a double ring costs one look: the rows in the database are
 * the truth, so nothing here is retried, kept or decided.
 */
export class MergeQueue {
  private readonly abort = new AbortController();
  private readonly hearers: Hearer[] = [];
  private readonly running = new Set<Promise<void>>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly transport: QueueTransport<Announcement>,
    private readonly logger: Logger,
  ) {}

  static async open(config: Config['queue'], database: Database, logger: Logger): Promise<MergeQueue> {
    return new MergeQueue(await openTransport(config, database, `${config.prefix}-shards`, logger), logger);
  }

  /**
   * Rings for a shard. Never throws and takes at most a second; false means that it may not have rung. The number of
   * the announcement must be new: an id that is still active makes BullMQ's `add` do nothing.
   */
  async announce(shardId: string, attempt: number, announcement: number): Promise<boolean> {
    if (this.closing || !this.transport.isUp()) return false;
    const options = {
      jobId: `${shardId}-${String(attempt)}-${String(announcement)}`,
      attempts: 1,
      removeOnComplete: true,
      removeOnFail: true,
    };
    const rung = this.transport.bell.add('shard', { shardId, attempt, announcement }, options).then(
      () => true,
      (error: unknown) => {
        this.logger.warn({ err: error, shardId }, 'Announcing a shard failed; the next sweep announces it again');
        return false;
      },
    );
    return within(rung, ringWithinMilliseconds, false);
  }

  /**
   * Hears announcements of every process on this queue; resolves when it listens.
   * @param concurrency how many handlers may run at once in this process
   */
  async onAnnounced(handler: AnnouncementHandler, concurrency = 1): Promise<void> {
    const hearer = this.transport.hear(async ({ data }) => {
      const handled = handler(data, this.abort.signal).catch((error: unknown) => {
        this.logger.error({ err: error, shardId: data.shardId }, 'Handling an announcement failed');
      });
      this.running.add(handled);
      await handled.finally(() => this.running.delete(handled));
    }, concurrency);
    this.hearers.push(hearer);
    // A Redis that is away now must not keep the service from starting: the worker connects when it returns.
    await within(
      Promise.resolve(hearer.waitUntilReady()).catch(() => undefined),
      closeWithinMilliseconds,
      undefined,
    );
  }

  /** Stops hearing, tells running handlers to stop, and waits for them for a few seconds. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.abort.abort(new Error('The service is stopping.'));
    const closed = Promise.allSettled(this.hearers.map((hearer) => hearer.close()));
    await within(Promise.allSettled(this.running), closeWithinMilliseconds, undefined);
    // Without Redis nobody can be told that the jobs ended, and nobody needs to be.
    await within(closed, this.transport.isUp() ? closeWithinMilliseconds : 0, undefined);
    await within(
      this.transport.bell.close().catch(() => undefined),
      1000,
      undefined,
    );
    await within(this.transport.close(), 1000, undefined);
  }
}

async function within<T, U>(work: Promise<T>, milliseconds: number, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<U>((resolve) => (timer = setTimeout(resolve, milliseconds, otherwise)));
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
