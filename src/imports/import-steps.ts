import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inspectOffThread } from '../engine/index.js';
import { HubCheckpoint } from '../hub/hub-checkpoint.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubModels } from '../hub/hub-model.js';
import { findHubReference } from '../hub/hub-reference.js';
import { inspectedFiles, neededFiles } from '../hub/model-files.js';
import { VersionsService } from '../models/versions.service.js';
import type { ImportClaim } from './import-leases.js';
import type { ImportPlan } from './import-plan.js';
import { ImportTransfer, type ImportWork } from './import-transfer.js';
import { StoredImports, type StoredImport } from './stored-imports.js';

/** What an import does, in order. Each step may be done again by another attempt; what is done is not done twice. */
@Injectable()
export class ImportSteps {
  constructor(
    private readonly database: DataSource,
    private readonly hub: HubModels,
    private readonly versions: VersionsService,
    private readonly imports: StoredImports,
    private readonly transfer: ImportTransfer,
  ) {}

  /** @throws AppError, EngineError (a model that no program should load), HubError, StorageError, ImportLost */
  async run({ claim, stored, line }: ImportWork): Promise<void> {
    if (stored.state === 'queued') await this.imports.move(claim, 'plan');
    const plan = stored.plan ?? (await this.#plan(stored, line));
    if (stored.state !== 'fetching') {
      if (await this.#succeedWithKnown(claim, stored, plan)) return;
      await this.imports.plan(claim, plan);
    }
    const { repository } = plan;
    await this.hub.refusing(repository, line.token, () => this.transfer.run({ claim, stored, plan, line }));
  }

  /** Reads the headers and nothing else: what no program should load is refused before it is fetched. */
  async #plan(stored: StoredImport, line: HubLine): Promise<ImportPlan> {
    const reference = findHubReference(stored.source);
    if (!reference) throw new Error(`import ${stored.id} has no source`);
    const pinned = await this.hub.pin(reference, line);
    const { repository, commit } = pinned;
    const readable = inspectedFiles(pinned.files);
    const files = new HubCheckpoint(readable, (file) => this.hub.reader(pinned, file, line));
    const inspect = (): ReturnType<typeof inspectOffThread> => inspectOffThread(files);
    const { shards } = await this.hub.refusing(repository, line.token, inspect);
    return { repository, commit, files: neededFiles(pinned.files, shards) };
  }

  /** The model has a version of this very commit: there is nothing to fetch. */
  async #succeedWithKnown(claim: ImportClaim, stored: StoredImport, plan: ImportPlan): Promise<boolean> {
    const known = await this.versions.findImported(this.database.manager, plan, stored);
    if (!known) return false;
    await this.imports.succeeding(claim)(async (manager) => {
      await manager.query('update imports set plan = $2 where id = $1', [claim.id, JSON.stringify(plan)]);
      const version = await this.versions.get({ ...known, version: known.revision }, manager);
      await this.imports.pointAlias(manager, stored, version.id);
      return version;
    });
    return true;
  }
}
