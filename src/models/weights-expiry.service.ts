import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import { BlobsService } from './blobs.service.js';
import { latestAlias } from './names.js';
import { nameOf } from './version-rows.js';

/** Whether something needs the weights of a version; asked inside the transaction that would give them up. */
export type WeightsHold = (manager: EntityManager, versionId: string) => Promise<boolean>;

/** A version of a 70B model has some 30 files: a step frees a few versions, and stays short. */
const blobsAtOnce = 200;

/** Takes the weights of a version away and leaves everything else: manifest, card, small files, lineage. */
@Injectable()
export class WeightsExpiry {
  constructor(
    private readonly database: DataSource,
    private readonly blobs: BlobsService,
  ) {}

  /**
   * Gives the weights up, unless an alias names the version or one of the holds is true. The version's row is locked
   * first: whoever would begin to need it has done so before, and is seen, or comes after and is refused.
   * @param evenLatest whether `latest`, which every model has, is no alias in this sense
   * @returns whether they were given up now
   */
  expire(versionId: string, holds: readonly WeightsHold[], { evenLatest = false } = {}): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const locked = await manager.query<unknown[]>(
        'select 1 from versions where id = $1 and weights_expired_at is null for update',
        [versionId],
      );
      if (locked.length === 0) return false;
      const isAliased = evenLatest ? isNamed : isAliasedAtAll;
      for (const isHeld of [isAliased, ...holds]) if (await isHeld(manager, versionId)) return false;
      await manager.query('update versions set weights_expired_at = now() where id = $1', [versionId]);
      await manager.query(
        `with gone as (
           delete from version_files where version_id = $1 and path ilike '%.safetensors'
           returning version_id, path, sha256, bytes, media_type)
         insert into expired_files (version_id, path, sha256, bytes, media_type) select * from gone`,
        [versionId],
      );
      return true;
    });
  }

  /** Deletes the blobs that only expired versions had, by the guarded step of all blobs. @returns how many */
  async free(): Promise<number> {
    const rows = await this.database.query<{ sha256: string }[]>(
      `select distinct e.sha256 from expired_files e join blobs b on b.sha256 = e.sha256
       where not exists (select 1 from version_files f where f.sha256 = e.sha256) limit ${blobsAtOnce}`,
    );
    return this.blobs.collectUnreferenced(rows.map(({ sha256 }) => sha256));
  }
}

/**
 * Makes sure that the weights of versions are there until the transaction ends. Whoever needs them longer must have
 * written so by then, where a hold sees it.
 * @throws AppError weights_expired
 */
export async function requireWeights(manager: EntityManager, versionIds: readonly string[]): Promise<void> {
  const rows = await manager.query<{ namespace: string; name: string; version: number; expired: boolean }[]>(
    `select m.namespace, m.name, v.version, v.weights_expired_at is not null as expired
     from versions v join models m on m.id = v.model_id where v.id = any($1) order by v.id for key share of v`,
    [versionIds],
  );
  const expired = rows.find((row) => row.expired);
  if (expired) throw weightsExpired(nameOf(expired));
}

export function weightsExpired(reference: string, pointer?: string): AppError {
  const detail = `The weights of ${reference} are no longer kept; its manifest, card and lineage are.`;
  return new AppError('weights_expired', detail, pointer === undefined ? {} : { pointer });
}

async function isAliasedAtAll(manager: EntityManager, versionId: string): Promise<boolean> {
  return (await manager.query<unknown[]>('select 1 from aliases where version_id = $1', [versionId])).length > 0;
}

/** By somebody: `latest` moves by itself. */
async function isNamed(manager: EntityManager, versionId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>('select 1 from aliases where version_id = $1 and alias <> $2', [
    versionId,
    latestAlias,
  ]);
  return rows.length > 0;
}
