import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config.js';
import { dataSourceOptions, openDatabase, openDataSource } from '../../src/platform/database.js';
import { entities, migrations } from '../../src/tables.js';
import { placeFreshDatabase } from './fresh-database.js';

export interface EmbeddedDatabase {
  dataSource: DataSource;
  /** Of the data directory, in which a test may put its objects. */
  directory: string;
  close(): Promise<void>;
}

/** The embedded database with all tables, in this process: for tests of statements, without any server. */
export async function openEmbeddedDatabase(): Promise<EmbeddedDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'amalgam-database-'));
  await placeFreshDatabase(directory);
  const database = await openDatabase(loadConfig({ AMALGAM_DATA_DIR: directory }));
  const dataSource = await openDataSource(database, dataSourceOptions(database, entities, migrations));
  const close = async () => {
    await dataSource.destroy();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { dataSource, directory, close };
}
