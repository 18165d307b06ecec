import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config.js';
import { BlobsService } from '../../src/models/blobs.service.js';
import { ModelsService } from '../../src/models/models.service.js';
import { RegistryWatchers } from '../../src/models/registry-watchers.js';
import { VersionsService } from '../../src/models/versions.service.js';
import { type Database, dataSourceOptions, openDatabase, openDataSource } from '../../src/platform/database.js';
import { LocalDirectoryStore } from '../../src/storage/local-directory.js';
import { entities, migrations } from '../../src/tables.js';
import { sha256 } from './api.js';

/** The guarded delete of blobs on one home, while others refer to the same bytes. */
export function describeBlobs(
  name: string,
  open: () => { settings: Record<string, string>; end?: () => Promise<void> },
): void {
  describe(name, () => {
    let directory: string;
    let database: Database;
    let dataSource: DataSource;
    let store: LocalDirectoryStore;
    let blobs: BlobsService;
    let versions: VersionsService;
    let end: (() => Promise<void>) | undefined;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'amalgam-blobs-'));
      const home = open();
      end = home.end;
      database = await openDatabase(loadConfig({ AMALGAM_DATA_DIR: directory, ...home.settings }));
      dataSource = await openDataSource(database, dataSourceOptions(database, entities, migrations));
      store = new LocalDirectoryStore(directory);
      blobs = new BlobsService(dataSource, store);
      versions = new VersionsService(dataSource, blobs, new RegistryWatchers());
      await new ModelsService(dataSource).ensure(dataSource.manager, { namespace: 'team', name: 'model' });
    }, 120_000);

    afterAll(async () => {
      await dataSource.destroy();
      await database.close();
      await end?.();
      await rm(directory, { recursive: true, force: true });
    });

    /** Stores bytes and makes them a version's, in the order in which the service does. */
    async function refer(bytes: Uint8Array): Promise<void> {
      const objectKey = `blobs/${randomUUID()}`;
      await store.put(objectKey, bytes);
      const file = { path: 'a.txt', sha256: sha256(bytes), bytes: bytes.length, objectKey };
      const { superfluousKeys } = await dataSource.transaction((manager) =>
        versions.createVersion(manager, {
          namespace: 'team',
          name: 'model',
          files: [file],
          origin: 'upload',
          createdBy: 'test',
        }),
      );
      for (const key of superfluousKeys) await store.delete(key);
    }

    async function makeOrphan(bytes: Uint8Array): Promise<string> {
      const objectKey = `blobs/${randomUUID()}`;
      await store.put(objectKey, bytes);
      await blobs.record(dataSource.manager, { sha256: sha256(bytes), bytes: bytes.length, objectKey });
      return objectKey;
    }

    const objectOf = async (digest: string) => {
      const rows = await dataSource.query<{ object_key: string }[]>('select object_key from blobs where sha256 = $1', [
        digest,
      ]);
      return rows[0]?.object_key;
    };

    test('deletes what nobody refers to, row and object, once', async () => {
      const bytes = randomBytes(10);
      const objectKey = await makeOrphan(bytes);
      const counts = await Promise.all([1, 2, 3].map(() => blobs.collectUnreferenced([sha256(bytes), sha256(bytes)])));
      expect(counts.sort()).toEqual([0, 0, 1]);
      await expect(store.head(objectKey)).rejects.toMatchObject({ code: 'object_not_found' });
      expect(await objectOf(sha256(bytes))).toBeUndefined();
    });

    test('keeps what a version refers to', async () => {
      const bytes = randomBytes(10);
      await refer(bytes);
      expect(await blobs.collectUnreferenced([sha256(bytes)])).toBe(0);
      expect(await store.head((await objectOf(sha256(bytes))) ?? '')).toMatchObject({ bytes: 10 });
    });

    test('waits for a reference that is being made, and then sees it', async () => {
      const bytes = randomBytes(10);
      const objectKey = await makeOrphan(bytes);
      const file = { path: 'a.txt', sha256: sha256(bytes), bytes: 10, objectKey };
      let announce: () => void = () => undefined;
      const collecting = new Promise<void>((resolve) => (announce = resolve)).then(() =>
        blobs.collectUnreferenced([sha256(bytes)]),
      );
      await dataSource.transaction(async (manager) => {
        await versions.createVersion(manager, {
          namespace: 'team',
          name: 'model',
          files: [file],
          origin: 'upload',
          createdBy: 'test',
        });
        announce();
        // Gives the delete every chance to go first; on PostgreSQL it now waits for the row.
        await manager.query('select pg_sleep(0.1)');
      });
      expect(await collecting).toBe(0);
      expect(await store.head(objectKey)).toMatchObject({ bytes: 10 });
    });

    test('whatever overlaps: a blob that is there has its bytes, and every version has its blob', async () => {
      for (let round = 0; round < 25; round += 1) {
        const bytes = randomBytes(10);
        const digest = sha256(bytes);
        await makeOrphan(bytes);
        await Promise.all([
          refer(bytes),
          blobs.collectUnreferenced([digest]),
          refer(bytes),
          blobs.collectUnreferenced([digest]),
        ]);
        expect(await store.head((await objectOf(digest)) ?? 'blobs/none')).toMatchObject({ bytes: 10 });
      }
      const rows = await dataSource.query<{ object_key: string }[]>('select object_key from blobs');
      const kept = new Set(rows.map((row) => row.object_key));
      for await (const { key } of store.list('blobs/')) expect(kept).toContain(key);
    });
  });
}
