import type { EntityManager } from 'typeorm';
import type { MergeRequest } from './merges.schema.js';
import type { PlannedMerge } from './planning.service.js';
import { versionInputs } from './version-inputs.js';

/** A merge as somebody asks for it. */
export interface Submission {
  request: MergeRequest;
  /** Where the recipe is in the request. */
  pointer: string;
  createdBy: string;
  /** For models of the Hub, and for the publication that the request may ask for. */
  hubToken?: string | undefined;
}

/** Everything that is to be written down about a merge before anyone is told that it will be carried out. */
export interface NewMerge {
  namespace: string;
  name: string;
  alias?: string | undefined;
  device: MergeRequest['device'];
  labels: Record<string, string>;
  createdBy: string;
  planned: PlannedMerge;
}

/** What a request says of a merge beside its plan. */
export function headOf(
  { output, alias, device, labels = {} }: MergeRequest,
  createdBy: string,
): Omit<NewMerge, 'planned'> {
  const [namespace = '', name = ''] = output.split('/');
  return { namespace, name, alias, device, labels, createdBy };
}

/** A result that is there already, made by the merge `source`. */
export interface ReadyResult {
  versionId: string;
  version: number;
  source: string;
}

/**
 * Inserts a merge with its inputs: queued, or succeeded when its result is ready.
 * @returns false when a twin (same plan, output and alias) is alive; then nothing was written
 */
export async function insertMerge(
  manager: EntityManager,
  id: string,
  { namespace, name, alias, device, labels, createdBy, planned }: NewMerge,
  ready?: ReadyResult,
): Promise<boolean> {
  const { recipe, pinnedRecipe, plan, summary } = planned;
  const rows = await manager.query<unknown[]>(
    `insert into merges (id, state, output_namespace, output_name, output_alias, recipe, pinned_recipe, seed, shard_bytes,
                         labels, device, plan, plan_digest, summary, created_by, version_id, version_number,
                         deduplicated_from, finished_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, case when $2 = 'succeeded' then now() end)
     on conflict do nothing returning id`,
    [
      ...[id, ready ? 'succeeded' : 'queued', namespace, name, alias ?? null],
      ...[JSON.stringify(recipe), JSON.stringify(pinnedRecipe), plan.seed, plan.shardBytes],
      ...[JSON.stringify(labels), device, JSON.stringify(plan), plan.digest, JSON.stringify(summary), createdBy],
      ...[ready?.versionId ?? null, ready?.version ?? null, ready?.source ?? null],
    ],
  );
  if (rows.length === 0) return false;
  await insertInputs(manager, id, planned);
  return true;
}

/** Writes the plan of a merge down that was inserted without one, or with one that holds no more. */
export async function planMerge(manager: EntityManager, id: string, planned: PlannedMerge): Promise<void> {
  const { pinnedRecipe, plan, summary } = planned;
  await manager.query(
    `update merges set pinned_recipe = $2, seed = $3, shard_bytes = $4, plan = $5, plan_digest = $6, summary = $7
     where id = $1`,
    [
      ...[id, JSON.stringify(pinnedRecipe), plan.seed, plan.shardBytes],
      ...[JSON.stringify(plan), plan.digest, JSON.stringify(summary)],
    ],
  );
  await manager.query('delete from merge_inputs where merge_id = $1', [id]);
  await insertInputs(manager, id, planned);
}

async function insertInputs(manager: EntityManager, id: string, { inputs }: PlannedMerge): Promise<void> {
  for (const [position, { reference, role, versionId }] of versionInputs(inputs).entries()) {
    await manager.query(
      'insert into merge_inputs (merge_id, position, reference, role, version_id) values ($1, $2, $3, $4, $5)',
      [id, position, reference, role, versionId],
    );
  }
}

/** A merge that does the same for the same name and alias, and is not yet done. */
export async function findTwin(
  manager: EntityManager,
  { namespace, name, alias, planned }: NewMerge,
): Promise<string | undefined> {
  const [twin] = await manager.query<{ id: string }[]>(
    `select id from merges where plan_digest = $1 and output_namespace = $2 and output_name = $3
       and output_alias is not distinct from $4 and state not in ('succeeded', 'failed', 'cancelled')`,
    [planned.plan.digest, namespace, name, alias ?? null],
  );
  return twin?.id;
}

/** One row for each output file; how far those are that are there already stays as it is. */
export async function insertShards(manager: EntityManager, id: string, { plan }: PlannedMerge): Promise<void> {
  const files = plan.shards.map(({ file, bytes }, index) => ({ index, file, bytes }));
  await manager.query(
    `insert into merge_shards (merge_id, index, file_name, planned_bytes)
     select $1, s.index, s.file, s.bytes from jsonb_to_recordset($2) as s (index int, file text, bytes bigint)
     on conflict (merge_id, index) do update set file_name = excluded.file_name, planned_bytes = excluded.planned_bytes`,
    [id, JSON.stringify(files)],
  );
}
