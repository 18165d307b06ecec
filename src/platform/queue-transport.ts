import { createPostgresBackend, Queue, runMigrations, Worker, type JobsOptions, type PgPool } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Config } from '../config.js';
import type { Database } from './database.js';
import type { Logger } from './logger.js';

/** The parts of BullMQ's queue and worker that do not depend on what carries them. */
export interface Bell<T> {
  add(name: string, data: T, options: JobsOptions): Promise<unknown>;
  close(): Promise<void>;
}
export interface Hearer {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

export interface QueueTransport<T> {
  bell: Bell<T>;
  /** False while adding could only wait. */
  isUp(): boolean;
  hear(processor: (job: { data: T }) => Promise<void>, concurrency: number): Hearer;
  close(): Promise<void>;
}

const workerSettings = {
  // A job whose worker died is dropped, not run again: the sweep rings with a new announcement.
  maxStalledCount: 0,
  runRetryDelay: 1000,
};

/** Longest pause between attempts to reach Redis again; a worker is deaf for at most this long after it returns. */
const reconnectMilliseconds = 1000;
const commandTimeoutMilliseconds = 5000;

/**
 * ioredis 5 that is told to disconnect between two attempts to connect never says that it ended, and never refuses the
 * commands that wait for it; BullMQ's `close` waits for both, for ever.
 */
class EndingRedis extends Redis {
  override disconnect(reconnect = false): void {
    // A connection that nobody has dialled yet is in the same place, and that one ioredis ends properly.
    if (this.status === 'reconnecting' && !reconnect) this.status = 'wait';
    super.disconnect(reconnect);
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new EndingRedis({ ...this.options, ...override });
  }
}

export function redisTransport<T>(url: string, name: string, logger: Logger): QueueTransport<T> {
  const report = reporter(logger, 'Redis');
  let closed = false;
  const connect = (options: object) => {
    const retryStrategy = (times: number) => (closed ? null : Math.min(times * 100, reconnectMilliseconds));
    const redis = new EndingRedis(url, { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy, ...options });
    return redis.on('error', report);
  };
  const connections = [connect({ commandTimeout: commandTimeoutMilliseconds })];
  const [redis] = connections as [Redis];
  const bell = new Queue<T>(name, { connection: redis, skipMetasUpdate: true }).on('error', report);
  return {
    bell: bell as Bell<T>,
    isUp: () => redis.status === 'ready',
    hear: (processor, concurrency) => {
      const connection = connect({});
      connections.push(connection);
      const worker = new Worker<T>(name, processor, { connection, concurrency, ...workerSettings }).on('error', report);
      const close = () => {
        // What is lost from now on stays lost, or BullMQ would wait for its return. Its blocking connection copies this.
        closed = true;
        return worker.close();
      };
      return { waitUntilReady: () => worker.waitUntilReady(), close };
    },
    close: () => {
      closed = true;
      for (const each of connections) each.disconnect();
      return Promise.resolve();
    },
  };
}

/** BullMQ names its tables plainly and expects this schema first in the search_path. */
const queueSchema = 'bullmq';

/** Brings the tables of a queue that the database carries up to date. */
export async function migrateQueue(database: Database): Promise<void> {
  const client = new database.driver.Client(database.poolConfig(queueSchema));
  await client.connect();
  try {
    await runMigrations(client, queueSchema);
  } finally {
    await client.end();
  }
}

export async function postgresTransport<T>(
  database: Database,
  name: string,
  logger: Logger,
): Promise<QueueTransport<T>> {
  await migrateQueue(database);
  const report = reporter(logger, 'The database');
  const pool = new database.driver.Pool({ ...database.poolConfig(queueSchema), keepAlive: true, max: 5 });
  pool.on('error', report);
  // BullMQ describes pools a little more loosely than `pg` does.
  const connection = pool as unknown as PgPool;
  const bell = new Queue(name, { connection, skipMetasUpdate: true }, createPostgresBackend).on('error', report);
  return {
    bell: bell as Bell<T>,
    isUp: () => true,
    hear: (processor, concurrency) => {
      const options = { connection, concurrency, ...workerSettings };
      return new Worker(name, processor, options, createPostgresBackend).on('error', report);
    },
    close: () => pool.end(),
  };
}

export function openTransport<T>(
  config: Config['queue'],
  database: Database,
  name: string,
  logger: Logger,
): Promise<QueueTransport<T>> {
  if (config.redisUrl === undefined) return postgresTransport(database, name, logger);
  return Promise.resolve(redisTransport(config.redisUrl, name, logger));
}

/**
 * An 'error' event nobody listens to ends the process, and a server that is away repeats itself several times a
 * second: every error is listened to, and one a minute of the same kind is written.
 */
function reporter(logger: Logger, who: string): (error: Error) => void {
  const lastAt = new Map<string, number>();
  return (error) => {
    const kind = (error as NodeJS.ErrnoException).code ?? error.message;
    if (Date.now() - (lastAt.get(kind) ?? 0) < 60_000) return;
    lastAt.set(kind, Date.now());
    logger.warn({ err: error }, `${who} does not serve the queue; shards are still found by sweeping`);
  };
}
