import type { EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { MergeRequest } from '../merges/merges.schema.js';
import type { MergeState } from '../merges/merge-state.js';
import type { Trigger, TriggerRun } from './triggers.schema.js';

/** What a merge of a trigger is asked with beside its recipe and output. */
export type TriggerOptions = Omit<MergeRequest, 'recipe' | 'output'>;

export interface TriggerRecord {
  id: string;
  name: string;
  watch_namespace: string;
  watch_name: string;
  recipe: Record<string, unknown>;
  recipe_digest: string;
  options: TriggerOptions;
  output: string;
  keep_last: number | null;
  enabled: boolean;
  created_by: string;
  created_at: Date;
  runs: Trigger['runs'];
}

/** Triggers with what became of their checkpoints; conditions on t follow. */
export const selectTriggers = `
  select t.id, t.name, t.watch_namespace, t.watch_name, t.recipe, t.recipe_digest, t.options, t.output, t.keep_last,
         t.enabled, t.created_by, t.created_at, r.runs
  from triggers t cross join lateral (
    select jsonb_build_object(
      'waiting', count(*) filter (where r.state = 'waiting'),
      'refused', count(*) filter (where r.state = 'refused'),
      'succeeded', count(*) filter (where m.state = 'succeeded'),
      'failed', count(*) filter (where m.state in ('failed', 'cancelled')),
      'running', count(*) filter (where m.state not in ('succeeded', 'failed', 'cancelled'))) as runs
    from trigger_runs r left join merges m on m.id = r.merge_id where r.trigger_id = t.id) r`;

export function triggerOf(row: TriggerRecord): Trigger {
  return {
    id: row.id,
    name: row.name,
    watch: watchOf(row),
    output: row.output,
    recipe: row.recipe,
    recipeDigest: row.recipe_digest,
    options: { ...row.options },
    retention: row.keep_last === null ? null : { keepLast: row.keep_last },
    enabled: row.enabled,
    runs: row.runs,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  };
}

export function watchOf(row: Pick<TriggerRecord, 'watch_namespace' | 'watch_name'>): string {
  return `${row.watch_namespace}/${row.watch_name}`;
}

/** @param key id or name @throws AppError trigger_not_found */
export async function getTrigger(manager: EntityManager, key: string): Promise<TriggerRecord> {
  const [row] = await manager.query<TriggerRecord[]>(`${selectTriggers} where t.id::text = $1 or t.name = $1`, [key]);
  if (!row) throw new AppError('trigger_not_found', `There is no trigger ${key}.`);
  return row;
}

/** Locks a trigger: its runs are recorded by one at a time. @throws AppError trigger_not_found */
export async function lockTrigger(manager: EntityManager, key: string): Promise<TriggerRecord> {
  await manager.query('select 1 from triggers t where t.id::text = $1 or t.name = $1 for update', [key]);
  return getTrigger(manager, key);
}

export interface RunRecord {
  checkpoint_digest: string;
  version_number: number;
  origin: TriggerRun['origin'];
  state: 'waiting' | 'submitted' | 'refused';
  merge_id: string | null;
  failure: TriggerRun['failure'];
  created_at: Date;
  watch_namespace: string;
  watch_name: string;
  merge_state: MergeState | null;
  merge_failure: TriggerRun['failure'];
  result: string | null;
  weights_expired: boolean;
}

/** Runs with how far their merges are; conditions on r follow. */
export const selectRuns = `
  select r.checkpoint_digest, r.version_number, r.origin, r.state, r.merge_id, r.failure, r.created_at,
         t.watch_namespace, t.watch_name, m.state as merge_state, m.failure as merge_failure,
         m.output_namespace || '/' || m.output_name || '@' || m.version_number as result,
         coalesce(v.weights_expired_at is not null, false) as weights_expired
  from trigger_runs r join triggers t on t.id = r.trigger_id
    left join merges m on m.id = r.merge_id left join versions v on v.id = m.version_id`;

export function runOf(row: RunRecord): TriggerRun {
  return {
    checkpoint: `${watchOf(row)}@${row.version_number}`,
    checkpointDigest: row.checkpoint_digest,
    origin: row.origin,
    state: row.state === 'submitted' ? (row.merge_state ?? 'queued') : row.state,
    merge: row.merge_id,
    version: row.result,
    weightsExpired: row.weights_expired,
    failure: row.merge_failure ?? row.failure,
    createdAt: row.created_at.toISOString(),
  };
}
