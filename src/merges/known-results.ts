import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AliasesService } from '../models/aliases.service.js';
import { ModelsService } from '../models/models.service.js';
import { VersionsService } from '../models/versions.service.js';
import { MergeEvents } from './merge-events.js';
import { versionOf } from './merge-output.js';
import { findMerge } from './merge-rows.js';
import type { Merge } from './merges.schema.js';
import { insertMerge, type NewMerge } from './new-merge.js';

interface KnownResult {
  id: string;
  version_id: string;
  output_namespace: string;
  output_name: string;
}

/** Merges whose bytes are stored already. Failed and cancelled ones never count. */
@Injectable()
export class KnownResults {
  constructor(
    private readonly models: ModelsService,
    private readonly versions: VersionsService,
    private readonly aliases: AliasesService,
    private readonly events: MergeEvents,
  ) {}

  /**
   * Answers a merge whose plan was carried out before, in the caller's transaction: with that merge when it has the
   * same output, else with a new version on the same blobs. Undefined when there is none.
   */
  async reuse(manager: EntityManager, merge: NewMerge): Promise<Merge | undefined> {
    const { namespace, name, alias } = merge;
    const [known] = await manager.query<KnownResult[]>(
      `select id, version_id, output_namespace, output_name from merges
       where plan_digest = $1 and state = 'succeeded'
       order by output_namespace = $2 and output_name = $3 desc, finished_at limit 1`,
      [merge.planned.plan.digest, namespace, name],
    );
    if (!known) return undefined;
    const isSameOutput = known.output_namespace === namespace && known.output_name === name;
    const id = isSameOutput ? known.id : randomUUID();
    const versionId = isSameOutput ? known.version_id : await this.#addVersion(manager, id, merge, known);
    if (alias !== undefined) await this.aliases.point(manager, { namespace, name }, alias, versionId);
    const answer = await findMerge(manager, id);
    return answer && { ...answer, deduplicated: true };
  }

  async #addVersion(manager: EntityManager, id: string, merge: NewMerge, known: KnownResult): Promise<string> {
    const { namespace, name, createdBy, planned } = merge;
    await this.models.ensure(manager, { namespace, name });
    const files = await this.versions.listFiles(manager, known.version_id);
    const { plan, summary } = planned;
    const version = versionOf({ mergeId: id, namespace, name, createdBy, plan, summary, files });
    const created = await this.versions.createVersion(manager, version);
    await insertMerge(manager, id, merge, { versionId: created.id, version: created.version, source: known.id });
    const data = { version: `${namespace}/${name}@${created.version}`, deduplicatedFrom: known.id };
    await this.events.append(manager, id, 'succeeded', data);
    return created.id;
  }
}
