import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HubModels } from '../hub/hub-model.js';
import { VersionsService } from '../models/versions.service.js';
import type { JobClaim } from '../platform/job-leases.js';
import type { ImportPlan } from './import-plan.js';
import { ImportSources } from './import-sources.js';
import { ImportTransfer, type ImportWork } from './import-transfer.js';
import { StoredImports, type StoredImport } from './stored-imports.js';

/** What an import does, in order. Each step may be done again by another attempt; what is done is not done twice. */
@Injectable()
export class ImportSteps {
  constructor(
    private readonly database: DataSource,
    private readonly hub: HubModels,
    private readonly sources: ImportSources,
    private readonly versions: VersionsService,
    private readonly imports: StoredImports,
    private readonly transfer: ImportTransfer,
  ) {}

  /** @throws AppError, EngineError (a model that no program should load), HubError, StorageError, JobLost */
  async run({ claim, stored, line }: ImportWork): Promise<void> {
    if (stored.state === 'queued') await this.imports.move(claim, 'plan');
    const plan = stored.plan ?? (await this.sources.open(stored.source, line, stored.namespace)).plan;
    if (stored.state !== 'fetching') {
      if (await this.#succeedWithKnown(claim, stored, plan)) return;
      await this.imports.plan(claim, plan);
    }
    const { repository } = plan;
    await this.hub.refusing(repository, line.token, () => this.transfer.run({ claim, stored, plan, line }));
  }

  /** The model has a version of this very commit: there is nothing to fetch. What only refers to its weights is no copy. */
  async #succeedWithKnown(claim: JobClaim, stored: StoredImport, plan: ImportPlan): Promise<boolean> {
    const known = await this.versions.findImported(this.database.manager, plan, stored, stored.mode === 'copy');
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
