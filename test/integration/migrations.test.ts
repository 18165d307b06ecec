import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config.js';
import { type Database, dataSourceOptions, openDatabase, openDataSource } from '../../src/platform/database.js';
import { entities, migrations } from '../../src/tables.js';
import { describeWith } from '../support/environment.js';
import { ownSchema } from '../support/postgres.js';

function describeMigrations(
  name: string,
  open: () => Promise<{ settings: Record<string, string>; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let database: Database;
    let dataSource: DataSource;
    let end: () => Promise<void>;

    beforeAll(async () => {
      const home = await open();
      end = home.end;
      database = await openDatabase(loadConfig(home.settings));
      dataSource = await openDataSource(database, dataSourceOptions(database, entities, migrations));
    }, 60_000);

    afterAll(async () => {
      await dataSource.destroy();
      await database.close();
      await end();
    }, 30_000);

    test('make what the entities describe, to the last index', async () => {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    });

    test('can be taken back, and run again', async () => {
      for (const _each of migrations) await dataSource.undoLastMigration();
      const tables = `select table_name from information_schema.tables where table_schema = current_schema()
        and table_name <> 'migrations'`;
      expect(await dataSource.query(tables)).toEqual([]);
      expect(await dataSource.runMigrations()).toHaveLength(migrations.length);
    });
  });
}

describe('the migrations', () => {
  describeMigrations('on the embedded database', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'migrations-'));
    return { settings: { AMALGAM_DATA_DIR: directory }, end: () => rm(directory, { recursive: true }) };
  });

  describeWith(['database'], 'with a server', () => {
    describeMigrations('on PostgreSQL', () => {
      const { url, schema, drop } = ownSchema();
      return Promise.resolve({ settings: { AMALGAM_DATABASE_URL: url, AMALGAM_DATABASE_SCHEMA: schema }, end: drop });
    });
  });
});
