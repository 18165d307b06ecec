import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AliasesService } from '../models/aliases.service.js';
import { ModelsService } from '../models/models.service.js';
import { type CreatedVersion, type StoredFile, VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type FinalClaim, Finalizations } from './finalizations.js';
import { MergeEvents } from './merge-events.js';
import { versionOf } from './merge-output.js';
import { mergePrefix } from './shard-runner.js';
import type { StoredMerge } from './stored-merges.js';

/** The one transaction that ends a merge well. */
@Injectable()
export class NewVersions {
  constructor(
    private readonly leases: Finalizations,
    private readonly models: ModelsService,
    private readonly versions: VersionsService,
    private readonly aliases: AliasesService,
    private readonly events: MergeEvents,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /**
   * Makes the version visible and the merge succeeded, both or neither.
   * @returns false when the merge is somebody else's by now, or is to be cancelled: then nothing was changed
   */
  async commit(claim: FinalClaim, merge: StoredMerge, files: readonly StoredFile[]): Promise<boolean> {
    const created = await this.events.changing(claim.mergeId, async (manager) => {
      if (!(await this.leases.lock(manager, claim))) return undefined;
      return this.#create(manager, merge, files);
    });
    if (!created) return false;
    // Other objects hold the same bytes. Only ours are ours to delete: a tokenizer's belongs to the model it came from.
    const own = created.superfluousKeys.filter((key) => key.startsWith(mergePrefix(merge.id)));
    // The sweep deletes what stays behind.
    await Promise.allSettled(own.map((key) => this.store.delete(key)));
    return true;
  }

  async #create(manager: EntityManager, merge: StoredMerge, files: readonly StoredFile[]): Promise<CreatedVersion> {
    const { id: mergeId, namespace, name, alias, createdBy, plan, summary } = merge;
    await this.models.ensure(manager, { namespace, name });
    const created = await this.versions.createVersion(
      manager,
      versionOf({ mergeId, namespace, name, createdBy, plan, summary, files }),
    );
    if (alias !== null) await this.aliases.point(manager, { namespace, name }, alias, created.id);
    // With the state, because the database insists that a merge has a version exactly when it has succeeded.
    await manager.query(
      `update merges set state = 'succeeded', version_id = $2, version_number = $3, owner = null, lease_until = null,
              finished_at = now() where id = $1`,
      [mergeId, created.id, created.version],
    );
    const { version, digest } = created;
    await this.events.append(manager, mergeId, 'succeeded', { version: `${namespace}/${name}@${version}`, digest });
    return created;
  }
}
