import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { PgliteSession } from './pglite-session.js';
import { SessionSocket } from './session-socket.js';

/** The part of the `pg` module that TypeORM and BullMQ use; `pg` itself is one. */
export interface PgDriver {
  Pool: new (config?: pg.PoolConfig) => pg.Pool;
  Client: new (config?: pg.ClientConfig) => pg.Client;
}

export interface EmbeddedPostgres extends PgDriver {
  /** Ends the database after everything asked for is answered. Pools must be ended first. */
  close(): Promise<void>;
}

/**
 * Opens PGlite, a PostgreSQL inside this process, with `pg`'s face. The caller holds the data directory's lock: two
 * processes on one directory destroy it.
 *
 * @param directory where the files live; without it the database is in memory and ends with the process
 */
export async function openPglite(directory?: string): Promise<EmbeddedPostgres> {
  if (directory !== undefined) await mkdir(dirname(directory), { recursive: true });
  const pglite = await PGlite.create(directory === undefined ? 'memory://' : directory);
  const session = new PgliteSession(pglite);
  // `ssl` is spelled out because PGSSLMODE in somebody's environment must not reach a socket that is none.
  const inProcess = (config: pg.ClientConfig | undefined) => ({
    ...config,
    host: 'embedded',
    user: 'postgres',
    ssl: false,
    stream: () => new SessionSocket(session) as never,
  });
  class Client extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(inProcess(config));
    }
  }
  class Pool extends pg.Pool {
    constructor(config?: pg.PoolConfig) {
      super({ ...config, Client });
    }
  }
  return {
    Client,
    Pool,
    close: async () => {
      await session.drain();
      await pglite.close();
    },
  };
}
