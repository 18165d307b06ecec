import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { StoredTransfers } from '../hub/stored-transfers.js';
import { AliasesService } from '../models/aliases.service.js';
import { ModelsService } from '../models/models.service.js';
import type { Version } from '../models/models.schema.js';
import { UploadsService } from '../models/uploads.service.js';
import type { JobClaim } from '../platform/job-leases.js';
import { ImportEvents } from './import-events.js';
import { ImportLeases } from './import-leases.js';
import type { ImportMode } from './imports.schema.js';
import { type ImportPlan, totalBytesOf } from './import-plan.js';
import type { ImportHappening, ImportState } from './import-state.js';

/** What whoever carries out an import needs to know of it. */
export interface StoredImport {
  id: string;
  state: ImportState;
  source: string;
  namespace: string;
  name: string;
  alias: string | null;
  mode: ImportMode;
  uploadId: string | null;
  sealedToken: string | null;
  /** Whose token is used where the request brought none. */
  tokenNamespace: string;
  plan: ImportPlan | null;
  createdBy: string;
}

/** Reads and writes of an attempt. Every write names the attempt and throws JobLost when that has lost the row. */
@Injectable()
export class StoredImports extends StoredTransfers<ImportState, ImportHappening> {
  constructor(
    private readonly database: DataSource,
    leases: ImportLeases,
    events: ImportEvents,
    private readonly models: ModelsService,
    private readonly aliases: AliasesService,
    private readonly uploads: UploadsService,
  ) {
    super(leases, events);
  }

  async get(id: string): Promise<StoredImport> {
    const [row] = await this.database.query<StoredImport[]>(
      `select id, state, source, namespace, name, alias, mode, upload_id as "uploadId", sealed_token as "sealedToken", plan,
              created_by as "createdBy", coalesce(token_namespace, namespace) as "tokenNamespace" from imports where id = $1`,
      [id],
    );
    if (!row) throw new Error(`import ${id} is not there`);
    return row;
  }

  /** Writes the plan down. */
  async plan(claim: JobClaim, plan: ImportPlan): Promise<void> {
    const bytesTotal = totalBytesOf(plan);
    const { repository, commit, files } = plan;
    const data = { repository, commit, files: files.length, bytesTotal };
    await this.move(claim, 'fetch', data, async (manager) => {
      await manager.query('update imports set plan = $2, total_bytes = $3 where id = $1', [
        claim.id,
        JSON.stringify(plan),
        bytesTotal,
      ]);
    });
  }

  /** A new upload for its files; the model is made when there is none. @returns its id */
  async beginUpload(claim: JobClaim, { namespace, name, createdBy }: StoredImport): Promise<string> {
    const upload = await this.uploads.create({ namespace, name }, createdBy, (work) =>
      this.database.transaction(async (manager) => {
        await this.leases.lock(manager, claim);
        await this.models.ensure(manager, { namespace, name });
        const made = await work(manager);
        await manager.query('update imports set upload_id = $2 where id = $1', [claim.id, made.id]);
        return made;
      }),
    );
    return upload.id;
  }

  /** The transaction that makes the version and ends the import, both or neither. */
  succeeding(claim: JobClaim): (work: (manager: EntityManager) => Promise<Version>) => Promise<Version> {
    return (work) =>
      this.events.changing(claim.id, async (manager) => {
        await this.leases.lock(manager, claim);
        const version = await work(manager);
        const { reference, digest, id } = version;
        await manager.query(
          'update imports set done_bytes = total_bytes, owner = null, lease_until = null where id = $1',
          [claim.id],
        );
        await this.events.move(manager, claim.id, 'succeed', { version: reference, digest }, { version_id: id });
        return version;
      });
  }

  /** Points the alias that was asked for to a version that was there already. */
  async pointAlias(manager: EntityManager, { namespace, name, alias }: StoredImport, versionId: string): Promise<void> {
    if (alias !== null) await this.aliases.point(manager, { namespace, name }, alias, versionId);
  }
}
