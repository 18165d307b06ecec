import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AliasesService } from '../models/aliases.service.js';
import { ModelsService } from '../models/models.service.js';
import { type CreatedVersion, VersionsService } from '../models/versions.service.js';
import { MergePublications } from '../publishing/merge-publications.service.js';
import { MergeEvents } from './merge-events.js';
import { versionOf } from './merge-output.js';
import { findMerge } from './merge-rows.js';
import { statesBefore } from './merge-state.js';
import type { Merge, Plan } from './merges.schema.js';
import { insertMerge, type NewMerge } from './new-merge.js';
import { forgetToken } from './preparation/preparation-request.js';
import { settled } from './version-inputs.js';

interface KnownResult {
  id: string;
  version_id: string;
  version_number: number;
  isSameOutput: boolean;
}

/** What a merge's plan gave, once it was settled. */
const settledColumns = ['pinned_recipe', 'seed', 'shard_bytes', 'plan', 'plan_digest', 'summary'];

/** Merges whose bytes are stored already. Failed and cancelled ones never count. */
@Injectable()
export class KnownResults {
  constructor(
    private readonly models: ModelsService,
    private readonly versions: VersionsService,
    private readonly aliases: AliasesService,
    private readonly events: MergeEvents,
    private readonly publications: MergePublications,
  ) {}

  /**
   * Answers a merge whose plan was carried out before, in the caller's transaction: with that merge when it has the
   * same output, else with a new version on the same blobs. Undefined when there is none.
   */
  async reuse(manager: EntityManager, merge: NewMerge): Promise<Merge | undefined> {
    const known = await this.#find(manager, merge);
    if (!known) return undefined;
    const id = known.isSameOutput ? known.id : randomUUID();
    const versionId = known.isSameOutput ? known.version_id : await this.#addVersion(manager, id, merge, known);
    await this.#pointAlias(manager, merge, versionId);
    const answer = await findMerge(manager, id);
    return answer && { ...answer, deduplicated: true };
  }

  /**
   * The same for a merge that is written down and was just planned: it succeeds at once.
   * @returns false when there is no such result; then nothing was changed
   */
  async end(manager: EntityManager, id: string, merge: NewMerge): Promise<boolean> {
    const known = await this.#find(manager, merge);
    if (!known) return false;
    const result = known.isSameOutput
      ? { id: known.version_id, version: known.version_number }
      : await this.#createVersion(manager, id, merge, known);
    await this.#pointAlias(manager, merge, result.id);
    // With the state, because the database insists that a merge has a version exactly when it has succeeded.
    await manager.query(
      `update merges set state = 'succeeded', version_id = $2, version_number = $3, deduplicated_from = $4,
              finished_at = now() where id = $1 and state = any($5)`,
      [id, result.id, result.version, known.id, statesBefore('reuse')],
    );
    await forgetToken(manager, id);
    await copyPlan(manager, known.id, id);
    await this.#tell(manager, id, merge, result.version, known);
    if (known.isSameOutput) await this.publications.release(manager, id, result.id);
    return true;
  }

  async #find(manager: EntityManager, { namespace, name, planned }: NewMerge): Promise<KnownResult | undefined> {
    const [known] = await manager.query<KnownResult[]>(
      // The lock keeps the weights until the version that takes them over is there.
      `select m.id, m.version_id, m.version_number, m.output_namespace = $2 and m.output_name = $3 as "isSameOutput"
       from merges m join versions v on v.id = m.version_id
       where (m.plan_digest = $1 or m.id in (select p.merge_id from merge_preparations p where p.first_digest = $1))
         and m.state = 'succeeded' and v.weights_expired_at is null
       order by "isSameOutput" desc, m.finished_at limit 1 for key share of v`,
      [planned.plan.digest, namespace, name],
    );
    return known;
  }

  async #addVersion(manager: EntityManager, id: string, merge: NewMerge, known: KnownResult): Promise<string> {
    const created = await this.#createVersion(manager, id, merge, known);
    await insertMerge(manager, id, merge, { versionId: created.id, version: created.version, source: known.id });
    await this.#tell(manager, id, merge, created.version, known);
    return created.id;
  }

  async #createVersion(
    manager: EntityManager,
    id: string,
    { namespace, name, createdBy, planned: { plan } }: NewMerge,
    known: KnownResult,
  ): Promise<CreatedVersion> {
    await this.models.ensure(manager, { namespace, name });
    const files = await this.versions.listFiles(manager, known.version_id);
    const [row] = await manager.query<{ summary: Plan }[]>('select summary from merges where id = $1', [known.id]);
    if (!row) throw new Error(`merge ${known.id} is not there`);
    const version = versionOf({ mergeId: id, namespace, name, createdBy, plan, summary: settled(row.summary), files });
    return this.versions.createVersion(manager, version);
  }

  async #pointAlias(manager: EntityManager, { namespace, name, alias }: NewMerge, versionId: string): Promise<void> {
    if (alias !== undefined) await this.aliases.point(manager, { namespace, name }, alias, versionId);
  }

  #tell(manager: EntityManager, id: string, merge: NewMerge, version: number, known: KnownResult): Promise<void> {
    const data = { version: `${merge.namespace}/${merge.name}@${version}`, deduplicatedFrom: known.id };
    return this.events.append(manager, id, 'succeeded', data);
  }
}

/** The plan of a merge as another's, which has the same result. */
async function copyPlan(manager: EntityManager, from: string, to: string): Promise<void> {
  const values = settledColumns.map((column) => `${column} = k.${column}`).join(', ');
  await manager.query(`update merges m set ${values} from merges k where m.id = $1 and k.id = $2`, [to, from]);
  await manager.query(
    `insert into merge_inputs (merge_id, position, reference, role, version_id)
     select $1, position, reference, role, version_id from merge_inputs where merge_id = $2`,
    [to, from],
  );
}
