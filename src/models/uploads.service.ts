import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ModelPath } from './models.schema.js';
import { ModelsService } from './models.service.js';
import type { UploadFileRow, UploadState } from './upload.entity.js';
import type { Upload, UploadFile } from './uploads.schema.js';

/** Long enough for a slow line and a weekend's interruption is not; what is not completed by then is cleared away. */
const uploadHours = 24;

export interface UploadRecord {
  id: string;
  namespace: string;
  name: string;
  model_id: string;
  state: UploadState;
  version: number | null;
  created_at: Date;
  created_by: string;
  expires_at: Date;
  expired: boolean;
}

const selectUploads = `
  select u.id, m.namespace, m.name, u.model_id, u.state, v.version, u.created_at, u.created_by, u.expires_at,
         u.expires_at < now() as expired
  from uploads u join models m on m.id = u.model_id left join versions v on v.id = u.version_id`;

/** Versions in the making: begun, looked at, given up. Files arrive through UploadReceiver. */
@Injectable()
export class UploadsService {
  constructor(
    private readonly database: DataSource,
    private readonly models: ModelsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @throws AppError model_not_found */
  create(path: ModelPath, createdBy: string, commit: Commit<Upload>): Promise<Upload> {
    return commit(async (manager) => {
      const modelId = await this.models.getId(manager, path);
      const id = randomUUID();
      await manager.query(
        `insert into uploads (id, model_id, created_by, expires_at)
         values ($1, $2, $3, now() + make_interval(hours => $4))`,
        [id, modelId, createdBy, uploadHours],
      );
      return presentUpload(await this.getRecord(manager, id), []);
    });
  }

  /** @throws AppError upload_not_found */
  async get(id: string): Promise<Upload> {
    const record = await this.getRecord(this.database.manager, id);
    return presentUpload(record, await this.files(this.database.manager, id));
  }

  /** @throws AppError upload_not_found */
  async getRecord(manager: EntityManager, id: string): Promise<UploadRecord> {
    const [record] = await manager.query<UploadRecord[]>(`${selectUploads} where u.id = $1`, [id]);
    if (!record) throw new AppError('upload_not_found', `There is no upload ${id}.`);
    return record;
  }

  /** Lets an open upload live for another while, because somebody works on it. */
  async extend(id: string): Promise<void> {
    await this.database.query(
      `update uploads set expires_at = now() + make_interval(hours => $2) where id = $1 and state = 'open'`,
      [id, uploadHours],
    );
  }

  /** An upload that takes files. @throws AppError upload_not_found, upload_closed */
  async getOpen(manager: EntityManager, id: string): Promise<UploadRecord> {
    const record = await this.getRecord(manager, id);
    if (record.state !== 'open') throw new AppError('upload_closed', `The upload is ${record.state}.`);
    if (record.expired) throw new AppError('upload_closed', 'The upload has expired; begin a new one.');
    return record;
  }

  files(manager: EntityManager, id: string): Promise<UploadFileRow[]> {
    return manager.query<UploadFileRow[]>('select * from upload_files where upload_id = $1 order by path collate "C"', [
      id,
    ]);
  }

  /**
   * Gives an upload up and frees what it stored. A completed one is left alone: its files are a version's.
   * @throws AppError upload_not_found, upload_closed
   */
  async discard(id: string): Promise<void> {
    const [, discarded] = await this.database.query<[unknown[], number]>(
      `update uploads set state = 'discarded' where id = $1 and state <> 'completed'`,
      [id],
    );
    if (discarded === 0) {
      await this.getRecord(this.database.manager, id);
      throw new AppError('upload_closed', 'The upload is completed; its files are a version now.');
    }
    await this.clear(id);
  }

  /** Removes what a closed upload left: objects that are no blob's, unfinished parts, and last the rows that name them. */
  async clear(id: string): Promise<void> {
    for (const file of await this.files(this.database.manager, id)) {
      if (file.multipart_id !== null) await this.store.abortUpload(file.object_key, file.multipart_id);
      await this.#deleteUnlessBlob(file.object_key);
    }
    await this.database.query(`delete from uploads where id = $1 and state <> 'open'`, [id]);
  }

  async #deleteUnlessBlob(objectKey: string): Promise<void> {
    const rows = await this.database.query<unknown[]>('select 1 from blobs where object_key = $1', [objectKey]);
    if (rows.length === 0) await this.store.delete(objectKey);
  }
}

export function presentUpload(record: UploadRecord, files: readonly UploadFileRow[]): Upload {
  const self = `/v1/uploads/${record.id}`;
  return {
    id: record.id,
    namespace: record.namespace,
    name: record.name,
    state: record.state,
    version: record.version,
    createdAt: record.created_at.toISOString(),
    createdBy: record.created_by,
    expiresAt: record.expires_at.toISOString(),
    urls: { self, file: `${self}/files/{path}`, complete: `${self}/complete` },
    files: files.map(presentFile),
  };
}

export function presentFile(row: UploadFileRow): UploadFile {
  const { path, sha256, done } = row;
  return { path, bytes: Number(row.bytes), sha256, received: Number(row.received), done };
}
