import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { sourceKeyPattern } from '../storage/source-key.js';

export interface Blob {
  /** Lower-case hex. */
  sha256: string;
  bytes: number;
  objectKey: string;
}

const foreignKeyViolation = '23503';

/** Which object holds the bytes of a digest. Everything that needs them refers to the row by a foreign key. */
@Injectable()
export class BlobsService {
  constructor(
    private readonly database: DataSource,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /**
   * Makes the object a blob's, or finds the one that already holds these bytes; the row stays locked until the
   * transaction ends, so a delete cannot come between this and the reference to it. An object of our own takes the
   * place of one that is somebody else's, which may vanish.
   * @returns key of the object that survives; when it is another one, the caller deletes its own after the commit
   */
  async record(manager: EntityManager, { sha256, bytes, objectKey }: Blob): Promise<string> {
    const [row] = await manager.query<{ object_key: string }[]>(
      `insert into blobs (sha256, bytes, object_key) values ($1, $2, $3)
       on conflict (sha256) do update
         set object_key = case when blobs.object_key like '${sourceKeyPattern}' then excluded.object_key
                               else blobs.object_key end
       returning object_key`,
      [sha256, bytes, objectKey],
    );
    return row?.object_key ?? objectKey;
  }

  /**
   * Deletes those blobs to which nothing refers. One statement decides: it locks the row, and the foreign keys see
   * every reference, also one that was committed while it waited. The store is touched after the commit, so the worse
   * failure, a row without bytes, cannot happen.
   * @returns how many were deleted
   */
  async collectUnreferenced(digests: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const sha256 of new Set(digests)) {
      const objectKey = await this.#deleteRow(sha256);
      if (objectKey === undefined) continue;
      await this.store.delete(objectKey);
      deleted += 1;
    }
    return deleted;
  }

  /** Whether some blob lives in the object. */
  async isBlob(objectKey: string): Promise<boolean> {
    return (await this.database.query<unknown[]>('select 1 from blobs where object_key = $1', [objectKey])).length > 0;
  }

  async #deleteRow(sha256: string): Promise<string | undefined> {
    try {
      const [rows] = await this.database.query<[{ object_key: string }[], number]>(
        'delete from blobs where sha256 = $1 returning object_key',
        [sha256],
      );
      return rows[0]?.object_key;
    } catch (error) {
      if ((error as { code?: unknown }).code === foreignKeyViolation) return undefined;
      throw error;
    }
  }
}
