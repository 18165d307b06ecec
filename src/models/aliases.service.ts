import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import { etag, type Preconditions, requirePreconditions } from '../http/etag.js';
import { RegistryWatchers } from './registry-watchers.js';
import type { Alias, AliasPath, ModelPath } from './models.schema.js';
import { modelNotFound } from './models.service.js';
import { latestAlias } from './names.js';
import { pointAlias, versionNotFound } from './versions.service.js';
import { weightsExpired } from './weights-expiry.service.js';

interface AliasRecord {
  alias: string;
  version: number;
  version_id: string;
  revision: number;
  updated_at: Date;
}

export interface TaggedAlias extends Alias {
  etag: string;
}

const selectAliases = `
  select a.alias, v.version, a.version_id, a.revision, a.updated_at
  from aliases a join versions v on v.id = a.version_id`;

/** Movable names of versions. Writes of one model's aliases come one after another, because each locks the model. */
@Injectable()
export class AliasesService {
  constructor(
    private readonly database: DataSource,
    private readonly watchers: RegistryWatchers,
  ) {}

  /** @throws AppError model_not_found */
  async list(path: ModelPath): Promise<Alias[]> {
    const modelId = await lockModel(this.database.manager, path, '');
    const rows = await this.database.query<AliasRecord[]>(`${selectAliases} where a.model_id = $1 order by a.alias`, [
      modelId,
    ]);
    return rows.map(aliasOf);
  }

  /** @throws AppError model_not_found, alias_not_found */
  async get(path: AliasPath): Promise<TaggedAlias> {
    const modelId = await lockModel(this.database.manager, path, '');
    const row = await find(this.database.manager, modelId, path.alias);
    if (!row) throw aliasNotFound(path);
    return tagged(row);
  }

  /**
   * Makes or moves an alias. Moving one that points elsewhere needs If-Match, so that nobody undoes a move that they
   * have not seen; saying again what already holds changes nothing.
   * @throws AppError alias_reserved, model_not_found, version_not_found, weights_expired, precondition_failed,
   *   precondition_required
   */
  put(path: AliasPath, version: number, conditions: Preconditions): Promise<{ alias: TaggedAlias; created: boolean }> {
    refuseReserved(path.alias);
    return this.database.transaction(async (manager) => {
      const modelId = await lockModel(manager, path, 'for update');
      const current = await find(manager, modelId, path.alias);
      requirePreconditions(conditions, current && tagOf(current));
      const versionId = await getVersionId(manager, modelId, path, version);
      if (current && current.version_id !== versionId && conditions.ifMatch === undefined) {
        throw new AppError(
          'precondition_required',
          `${path.alias} points to version ${current.version}: send If-Match: ${tagOf(current)} to move it.`,
          { pointer: 'If-Match' },
        );
      }
      await pointAlias(manager, modelId, path.alias, versionId);
      if (current?.version_id !== versionId) await this.watchers.tellAlias(manager, { ...path, versionId });
      const row = await find(manager, modelId, path.alias);
      if (!row) throw aliasNotFound(path);
      return { alias: tagged(row), created: current === undefined };
    });
  }

  /** @throws AppError alias_reserved, model_not_found, alias_not_found, precondition_failed */
  delete(path: AliasPath, conditions: Preconditions): Promise<void> {
    refuseReserved(path.alias);
    return this.database.transaction(async (manager) => {
      const modelId = await lockModel(manager, path, 'for update');
      const current = await find(manager, modelId, path.alias);
      if (!current) throw aliasNotFound(path);
      requirePreconditions(conditions, tagOf(current));
      await manager.query('delete from aliases where model_id = $1 and alias = $2', [modelId, path.alias]);
    });
  }

  /** Points an alias to a version that the same transaction made. @throws AppError alias_reserved, model_not_found */
  async point(manager: EntityManager, path: ModelPath, alias: string, versionId: string): Promise<void> {
    if (alias === latestAlias) return;
    const modelId = await lockModel(manager, path, 'for update');
    const current = await find(manager, modelId, alias);
    await pointAlias(manager, modelId, alias, versionId);
    if (current?.version_id !== versionId) await this.watchers.tellAlias(manager, { ...path, alias, versionId });
  }
}

async function lockModel(manager: EntityManager, path: ModelPath, lock: 'for update' | ''): Promise<string> {
  const [row] = await manager.query<{ id: string }[]>(
    `select id from models where namespace = $1 and name = $2 ${lock}`,
    [path.namespace, path.name],
  );
  if (!row) throw modelNotFound(path);
  return row.id;
}

async function find(manager: EntityManager, modelId: string, alias: string): Promise<AliasRecord | undefined> {
  const [row] = await manager.query<AliasRecord[]>(`${selectAliases} where a.model_id = $1 and a.alias = $2`, [
    modelId,
    alias,
  ]);
  return row;
}

async function getVersionId(
  manager: EntityManager,
  modelId: string,
  path: ModelPath,
  version: number,
): Promise<string> {
  // The lock keeps the weights: an alias is a reason for them to stay, and one to nothing would help nobody.
  const [row] = await manager.query<{ id: string; expired: boolean }[]>(
    `select id, weights_expired_at is not null as expired from versions
     where model_id = $1 and version = $2 for key share`,
    [modelId, version],
  );
  if (!row) throw versionNotFound({ ...path, revision: String(version) });
  if (row.expired) throw weightsExpired(`${path.namespace}/${path.name}@${version}`, '/version');
  return row.id;
}

function refuseReserved(alias: string): void {
  if (alias !== latestAlias) return;
  throw new AppError('alias_reserved', 'latest is moved by every completed version; use a name of your own.');
}

function aliasNotFound({ namespace, name, alias }: AliasPath): AppError {
  return new AppError('alias_not_found', `${namespace}/${name} has no alias ${alias}.`);
}

/** The version too, because an alias that was deleted and made again counts its revisions from one. */
function tagOf(row: AliasRecord): string {
  return etag(`${row.revision}-${row.version}`);
}

function aliasOf({ alias, version, revision, updated_at: updatedAt }: AliasRecord): Alias {
  return { alias, version, revision, updatedAt: updatedAt.toISOString() };
}

function tagged(row: AliasRecord): TaggedAlias {
  return { ...aliasOf(row), etag: tagOf(row) };
}
