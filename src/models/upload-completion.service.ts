import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Checkpoint, EngineError, inspectOffThread } from '../engine/index.js';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readStatement } from '../licences/licence-reading.js';
import { AliasesService } from './aliases.service.js';
import type { Version } from './models.schema.js';
import { objectFiles } from './object-files.js';
import type { UploadFileRow } from './upload.entity.js';
import type { CompleteUpload } from './uploads.schema.js';
import { type UploadRecord, UploadsService } from './uploads.service.js';
import { type StoredFile, type VersionSource, VersionsService } from './versions.service.js';

/** Defects that a further file repairs: the upload stays open for it. With any other, no file can help. */
const repairable: ReadonlySet<string> = new Set([
  'weights_missing',
  'index_missing',
  'index_shard_missing',
  'config_missing',
]);

/** Turns an upload into a version: reads the headers, refuses what no program should load, and commits. */
@Injectable()
export class UploadCompletion {
  constructor(
    private readonly database: DataSource,
    private readonly uploads: UploadsService,
    private readonly versions: VersionsService,
    private readonly aliases: AliasesService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /**
   * Completing again gives the same version. A refused upload is discarded with all it stored, unless a further file
   * could repair it.
   * @param source where the files come from, when it is not whoever uploads them
   * @throws AppError upload_not_found, upload_closed, upload_incomplete, alias_reserved; EngineError
   */
  async complete(
    id: string,
    options: CompleteUpload,
    createdBy: string,
    commit: Commit<Version>,
    source?: VersionSource,
  ): Promise<Version> {
    const { alias, licence: stated } = options;
    const record = await this.uploads.getRecord(this.database.manager, id);
    if (record.state === 'completed') return commit((manager) => this.#get(manager, record, record.version));
    await this.uploads.getOpen(this.database.manager, id);
    const rows = await this.uploads.files(this.database.manager, id);
    requireAllDone(rows);
    const files = rows.map(storedFile);
    const checkpoint = await this.#inspect(id, files);
    const licence = (await readStatement(objectFiles(this.store, files), stated)).licences.at(-1);
    const version = await commit(async (manager) => {
      await this.#lockUnchanged(manager, id, rows);
      const { namespace, name } = record;
      const metadata = { ...checkpoint, licence };
      const created = await this.versions.createVersion(manager, {
        ...{ namespace, name, files, origin: source ? 'import' : 'upload', source, metadata, createdBy },
      });
      if (alias !== undefined) await this.aliases.point(manager, record, alias, created.id);
      await manager.query(`update uploads set state = 'completed', version_id = $2 where id = $1`, [id, created.id]);
      return this.#get(manager, record, created.version);
    });
    // What other versions already stored is not needed twice. If this is cut off, the sweeper does it later.
    await this.#clearDuplicates(files);
    return version;
  }

  async #inspect(id: string, files: readonly StoredFile[]): Promise<Checkpoint> {
    try {
      checkOneFolder(files.map(({ path }) => path));
      return await inspectOffThread(objectFiles(this.store, files));
    } catch (error) {
      if (error instanceof EngineError && !repairable.has(error.code)) await this.uploads.discard(id);
      throw error;
    }
  }

  /** The headers were read outside the transaction: what is committed must be what was read. */
  async #lockUnchanged(manager: EntityManager, id: string, rows: readonly UploadFileRow[]): Promise<void> {
    await manager.query('select 1 from uploads where id = $1 for update', [id]);
    await this.uploads.getOpen(manager, id);
    const now = await this.uploads.files(manager, id);
    if (stateOf(now) !== stateOf(rows)) {
      throw new AppError('upload_superseded', 'A file of the upload changed while it was being completed; try again.');
    }
  }

  async #clearDuplicates(files: readonly StoredFile[]): Promise<void> {
    for (const { objectKey } of files) {
      const rows = await this.database.query<unknown[]>('select 1 from blobs where object_key = $1', [objectKey]);
      if (rows.length === 0) await this.store.delete(objectKey);
    }
  }

  #get(manager: EntityManager, { namespace, name }: UploadRecord, version: number | null): Promise<Version> {
    return this.versions.get({ namespace, name, version: String(version) }, manager);
  }
}

/**
 * Paths that one folder can hold, on systems that ignore letter case too.
 * @throws EngineError file_path_invalid
 */
function checkOneFolder(paths: readonly string[]): void {
  const byFolded = new Map(paths.map((path) => [path.toLowerCase(), path]));
  for (const path of paths) {
    const parts = path.toLowerCase().split('/');
    // The path itself, which another one may have taken, and every folder above it, which may be a file.
    const names = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
    const other = names.map((name) => byFolded.get(name)).find((found) => found !== undefined && found !== path);
    if (other === undefined) continue;
    throw new EngineError('file_path_invalid', `${other} and ${path} cannot lie in one folder.`, { file: path });
  }
}

function requireAllDone(rows: readonly UploadFileRow[]): void {
  const missing = rows.filter((row) => !row.done).map((row) => row.path);
  if (missing.length === 0 && rows.length > 0) return;
  const detail =
    rows.length === 0 ? 'The upload has no files.' : `Not yet received: ${missing.slice(0, 10).join(', ')}.`;
  throw new AppError('upload_incomplete', detail);
}

function stateOf(rows: readonly UploadFileRow[]): string {
  return JSON.stringify(rows.map(({ path, attempt, sha256, object_key }) => [path, attempt, sha256, object_key]));
}

function storedFile({ path, sha256, bytes, object_key: objectKey }: UploadFileRow): StoredFile {
  return { path, sha256, bytes: Number(bytes), objectKey };
}
