import { join } from 'node:path';
import pg from 'pg';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import type { Config } from '../config.js';
import { lockDataDirectory } from './data-directory.js';
import { openPglite, type PgDriver } from './pglite.js';

/** One of the two homes, opened: code above it does not see which. */
export interface Database {
  embedded: boolean;
  driver: PgDriver;
  /** How pools and clients reach it; `searchPath` names the schema that unqualified names mean. */
  poolConfig(searchPath?: string): pg.PoolConfig;
  schema: string;
  /** Ends the embedded database and lets go of its directory; pools and data sources must be ended first. */
  close(): Promise<void>;
}

/** A server that does not answer must not hold a start-up or a request for ever. */
const connectTimeoutMilliseconds = 10_000;

/**
 * A process that stands still inside a transaction holds its row locks, and those who take over its work would wait for
 * them. Less than the 9 s of a lease, so that they find no lock; the process finds its session ended.
 */
const idleInTransactionMilliseconds = 8_000;

/**
 * Opens the database that the configuration names: PostgreSQL, or an embedded one in the data directory, whose lock
 * is held from here to `close`.
 * @throws DataDirectoryInUse when another process holds the data directory
 */
export async function openDatabase(config: Config): Promise<Database> {
  const { url, schema } = config.database;
  if (url !== undefined) return postgresHome(url, schema);
  const lock = await lockDataDirectory(config.dataDirectory);
  try {
    const embedded = await openPglite(join(config.dataDirectory, 'database'));
    const close = async () => {
      await embedded.close();
      await lock.release();
    };
    const poolConfig = (searchPath = schema) => ({ options: `-c search_path=${searchPath}` });
    return { embedded: true, driver: embedded, poolConfig, schema, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function postgresHome(url: string, schema: string): Database {
  const reach = { connectionString: url, connectionTimeoutMillis: connectTimeoutMilliseconds, keepAlive: true };
  const settings = `-c idle_in_transaction_session_timeout=${String(idleInTransactionMilliseconds)}`;
  const poolConfig = (searchPath = schema) => ({ ...reach, options: `-c search_path=${searchPath} ${settings}` });
  return { embedded: false, driver: pg, poolConfig, schema, close: () => Promise.resolve() };
}

/**
 * Options of TypeORM for either home. The schema is chosen by search_path alone, so that migrations and entities name
 * their tables plainly.
 *
 * @param entities explicit list of entity classes
 * @param migrations explicit list of migration classes
 */
export function dataSourceOptions(
  database: Database,
  entities: (new () => object)[],
  migrations: (new () => MigrationInterface)[],
): DataSourceOptions {
  return {
    type: 'postgres',
    driver: { Pool: database.driver.Pool, Client: database.driver.Client },
    extra: database.poolConfig(),
    entities,
    migrations,
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
  };
}

/** An arbitrary number that all processes of this service agree on: 'AMAL' in ASCII. */
const migrationLock = 0x414d414c;

/**
 * Connects, and first brings the schema up to date. On PostgreSQL several processes may start at once: one migrates,
 * the others wait for it.
 */
export async function openDataSource(
  database: Database,
  options: DataSourceOptions,
  migrate = true,
): Promise<DataSource> {
  if (!migrate) return new DataSource(options).initialize();
  const client = new database.driver.Client(database.poolConfig());
  await client.connect();
  try {
    if (!database.embedded)
      await client.query('SELECT pg_advisory_lock($1, hashtext($2))', [migrationLock, database.schema]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS "${database.schema}"`);
    const dataSource = await new DataSource(options).initialize();
    await dataSource.runMigrations();
    return dataSource;
  } finally {
    // Ending the session gives the lock back, also when the migration failed.
    await client.end();
  }
}
