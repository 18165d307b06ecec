import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { decodeCursor, type Page, type PageQuery, pageOf } from '../http/pagination.js';
import { sourceKeyPattern } from '../storage/source-key.js';
import { BlobsService } from './blobs.service.js';
import { manifestDigest } from './manifest.js';
import type { ModelPath, Version, VersionPath, VersionSummary } from './models.schema.js';
import { modelNotFound } from './models.service.js';
import { isVersionNumber, latestAlias, mediaTypeOf, type ModelReference, parseReference } from './names.js';
import { RegistryWatchers } from './registry-watchers.js';
import type { ParentRole, VersionOrigin } from './version.entity.js';
import {
  fileOf,
  hubSourceOf,
  type FileRecord,
  type ManifestRecord,
  nameOf,
  selectFiles,
  selectManifest,
  selectVersions,
  summaryOf,
  type VersionRecord,
} from './version-rows.js';
import { weightsExpired } from './weights-expiry.service.js';

export interface StoredFile {
  path: string;
  sha256: string;
  bytes: number;
  objectKey: string;
}

/** A reference pinned to what it means now. */
export interface ResolvedVersion {
  id: string;
  namespace: string;
  name: string;
  version: number;
  digest: string;
  licence: string | null;
  architecture: string | null;
  /** Of an import from the Hub: `hf:org/name@commit`. */
  hubSource: string | null;
  files: StoredFile[];
}

export interface VersionMetadata {
  architecture?: string | undefined;
  modelType?: string | undefined;
  parameterCount?: number | undefined;
  /** How many tensors have each type. */
  dtypes?: Partial<Record<string, number>>;
  licence?: string | undefined;
}

/** Where an import came from. */
export interface VersionSource {
  /** `org/name` on the Hub, or `s3://bucket/prefix`. */
  repository: string;
  commit: string;
}

export interface NewVersion extends ModelPath {
  files: readonly StoredFile[];
  origin: VersionOrigin;
  mergeId?: string;
  /** Of an import. */
  source?: VersionSource | undefined;
  /** In the order of the recipe. */
  parents?: readonly { id: string; role: ParentRole; reference: string }[];
  metadata?: VersionMetadata;
  createdBy: string;
}

export interface CreatedVersion {
  id: string;
  version: number;
  digest: string;
  /** Objects that are not needed, because other ones already hold their bytes: delete them after the commit. */
  superfluousKeys: string[];
}

/** Immutable versions: made in one transaction, found by number or alias. */
@Injectable()
export class VersionsService {
  constructor(
    private readonly database: DataSource,
    private readonly blobs: BlobsService,
    private readonly watchers: RegistryWatchers,
  ) {}

  /**
   * Pins `team/model`, `team/model@3` or `team/model@alias` to the version it means now, with its files, the weights among them.
   * @throws AppError reference_invalid, reference_not_supported, model_not_found, version_not_found, weights_expired
   */
  async resolveReference(text: string): Promise<ResolvedVersion> {
    const { namespace, name, revision } = parseReference(text);
    const row = await this.#getRow(this.database.manager, { namespace, name, version: revision });
    if (row.weights_expired_at !== null) throw weightsExpired(nameOf(row));
    const files = await this.#files(this.database.manager, row.id);
    const { id, version, digest, licence, architecture } = row;
    const known = { id, namespace, name, version, digest, licence, architecture };
    return { ...known, hubSource: hubSourceOf(row), files: files.map(storedOf) };
  }

  /**
   * The version that a reference means now, whether its weights are kept or not: for what is known of it.
   * @throws AppError reference_invalid, reference_not_supported, model_not_found, version_not_found
   */
  async identify(text: string): Promise<Pick<ResolvedVersion, 'id' | 'namespace' | 'name' | 'version'>> {
    const { namespace, name, revision } = parseReference(text);
    return this.#getRow(this.database.manager, { namespace, name, version: revision });
  }

  /**
   * Makes the next version of a model that exists, and moves `latest`. Inside the caller's transaction: nobody sees
   * the version before it commits, and two at once get two numbers.
   * @throws AppError model_not_found
   */
  async createVersion(manager: EntityManager, input: NewVersion): Promise<CreatedVersion> {
    const [[model]] = await manager.query<[{ id: string; version: number }[], number]>(
      `update models set next_version = next_version + 1 where namespace = $1 and name = $2
       returning id, next_version - 1 as version`,
      [input.namespace, input.name],
    );
    if (!model) throw modelNotFound(input);
    const id = randomUUID();
    const digest = manifestDigest(input.files);
    const { architecture, modelType, parameterCount, dtypes = {}, licence } = input.metadata ?? {};
    await manager.query(
      `insert into versions (id, model_id, version, origin, digest, architecture, model_type, parameter_count, dtypes,
                             licence, merge_id, created_by, source_repository, source_commit)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        ...[id, model.id, model.version, input.origin, digest, architecture ?? null, modelType ?? null],
        ...[parameterCount ?? null, JSON.stringify(dtypes), licence ?? null, input.mergeId ?? null, input.createdBy],
        ...[input.source?.repository ?? null, input.source?.commit ?? null],
      ],
    );
    const superfluousKeys = await this.#addFiles(manager, id, input.files);
    await addParents(manager, id, input.parents ?? []);
    await pointAlias(manager, model.id, latestAlias, id);
    const { namespace, name, mergeId } = input;
    await this.watchers.tellVersion(manager, {
      namespace,
      name,
      versionId: id,
      version: model.version,
      digest,
      mergeId,
    });
    return { id, version: model.version, digest, superfluousKeys };
  }

  /** @throws AppError model_not_found, version_not_found */
  async get(path: VersionPath, manager: EntityManager = this.database.manager): Promise<Version> {
    const row = await this.#getRow(manager, path);
    const files = await manager.query<ManifestRecord[]>(
      `${selectManifest} where f.version_id = $1 order by f.path collate "C"`,
      [row.id],
    );
    return { ...summaryOf(row), files: files.map(fileOf) };
  }

  /**
   * The newest version that was imported from this commit, of one model or of any.
   * @param isStored only one whose files are all in the service's own store
   */
  async findImported(
    manager: EntityManager,
    { repository, commit }: VersionSource,
    model?: ModelPath,
    isStored = false,
  ): Promise<ModelReference | undefined> {
    const [row] = await manager.query<{ namespace: string; name: string; version: number }[]>(
      `select m.namespace, m.name, v.version from versions v join models m on m.id = v.model_id
       where v.source_repository = $1 and v.source_commit = $2 and v.weights_expired_at is null
         and ($3::text is null or (m.namespace = $3 and m.name = $4))
         and not ($5 and exists (
           select 1 from version_files f join blobs b on b.sha256 = f.sha256
           where f.version_id = v.id and b.object_key like '${sourceKeyPattern}'))
       order by v.created_at desc, v.id limit 1`,
      [repository, commit, model?.namespace ?? null, model?.name ?? null, isStored],
    );
    return row && { namespace: row.namespace, name: row.name, revision: String(row.version) };
  }

  /** Files of a version, with the objects that hold them; without its weights when they have expired. */
  async listFiles(manager: EntityManager, versionId: string): Promise<StoredFile[]> {
    return (await this.#files(manager, versionId)).map(storedOf);
  }

  /** @throws AppError model_not_found, version_not_found, file_not_found, weights_expired */
  async getFile(path: VersionPath, file: string): Promise<StoredFile & { mediaType: string }> {
    const version = await this.#getRow(this.database.manager, path);
    const [row] = await this.database.query<FileRecord[]>(`${selectFiles} where f.version_id = $1 and f.path = $2`, [
      version.id,
      file,
    ]);
    if (row) return { ...storedOf(row), mediaType: row.media_type };
    const expired = await this.database.query<unknown[]>(
      'select 1 from expired_files where version_id = $1 and path = $2',
      [version.id, file],
    );
    if (expired.length > 0) throw weightsExpired(nameOf(version));
    throw new AppError('file_not_found', `${nameOf(version)} has no file ${JSON.stringify(file.slice(0, 100))}.`);
  }

  /** Newest first. @throws AppError model_not_found */
  async list({ namespace, name }: ModelPath, { limit, cursor }: PageQuery): Promise<Page<VersionSummary>> {
    const before = decodeCursor(cursor, z.tuple([z.int32()]))?.[0] ?? null;
    const rows = await this.database.query<VersionRecord[]>(
      `${selectVersions} where m.namespace = $1 and m.name = $2 and ($3::int is null or v.version < $3)
       order by v.version desc limit $4`,
      [namespace, name, before, limit + 1],
    );
    if (rows.length === 0) await this.#requireModel(this.database.manager, { namespace, name });
    return pageOf(rows.map(summaryOf), limit, (version) => [version.version]);
  }

  async #getRow(manager: EntityManager, { namespace, name, version }: VersionPath): Promise<VersionRecord> {
    const condition = isVersionNumber(version)
      ? 'v.version = $3::int'
      : 'v.id = (select a.version_id from aliases a where a.model_id = m.id and a.alias = $3)';
    const [row] = await manager.query<VersionRecord[]>(
      `${selectVersions} where m.namespace = $1 and m.name = $2 and ${condition}`,
      [namespace, name, version],
    );
    if (row) return row;
    await this.#requireModel(manager, { namespace, name });
    throw versionNotFound({ namespace, name, revision: version });
  }

  async #requireModel(manager: EntityManager, { namespace, name }: ModelPath): Promise<void> {
    const rows = await manager.query<unknown[]>('select 1 from models where namespace = $1 and name = $2', [
      namespace,
      name,
    ]);
    if (rows.length === 0) throw modelNotFound({ namespace, name });
  }

  #files(manager: EntityManager, versionId: string): Promise<FileRecord[]> {
    return manager.query<FileRecord[]>(`${selectFiles} where f.version_id = $1 order by f.path collate "C"`, [
      versionId,
    ]);
  }

  async #addFiles(manager: EntityManager, id: string, files: readonly StoredFile[]): Promise<string[]> {
    const superfluousKeys: string[] = [];
    // In one order everywhere, so that two transactions that lock the same blobs wait for each other in turn.
    for (const file of [...files].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))) {
      const objectKey = await this.blobs.record(manager, file);
      if (objectKey !== file.objectKey) superfluousKeys.push(file.objectKey);
      await manager.query(
        'insert into version_files (version_id, path, sha256, bytes, media_type) values ($1, $2, $3, $4, $5)',
        [id, file.path, file.sha256, file.bytes, mediaTypeOf(file.path)],
      );
    }
    return superfluousKeys;
  }
}

/** Makes or moves an alias; the caller holds the model's row or moves `latest` with the version's own transaction. */
export async function pointAlias(
  manager: EntityManager,
  modelId: string,
  alias: string,
  versionId: string,
): Promise<void> {
  await manager.query(
    `insert into aliases (model_id, alias, version_id) values ($1, $2, $3)
     on conflict (model_id, alias) do update
       set version_id = excluded.version_id, revision = aliases.revision + 1, updated_at = now()
       where aliases.version_id <> excluded.version_id`,
    [modelId, alias, versionId],
  );
}

export function versionNotFound({ namespace, name, revision }: ModelReference): AppError {
  const what = isVersionNumber(revision) ? `no version ${revision}` : `no version named ${revision}`;
  return new AppError('version_not_found', `${namespace}/${name} has ${what}.`);
}

async function addParents(
  manager: EntityManager,
  id: string,
  parents: NonNullable<NewVersion['parents']>,
): Promise<void> {
  for (const [position, parent] of parents.entries()) {
    await manager.query(
      'insert into version_parents (version_id, position, parent_id, role, reference) values ($1, $2, $3, $4, $5)',
      [id, position, parent.id, parent.role, parent.reference],
    );
  }
}

function storedOf(row: FileRecord): StoredFile {
  return { path: row.path, sha256: row.sha256, bytes: Number(row.bytes), objectKey: row.object_key };
}
