import type { EntityManager } from 'typeorm';
import type { MergeFailure } from '../merges.schema.js';

/** SQL: every need (n) with the import (i) or the merge of a stage (s) that meets it; conditions follow. */
export const needStates = `select n.merge_id from merge_needs n left join imports i on i.id = n.import_id
  left join merges s on s.id = n.stage_id`;

/** What has to be there before a merge, and how far it is. */
export interface Need {
  reference: string;
  pointer: string;
  import: string | null;
  stage: string | null;
  state: string;
  /** Once it is there: namespace/name@version. */
  version: string | null;
  failure: MergeFailure | null;
}

export interface NewNeed {
  reference: string;
  pointer: string;
  importId?: string;
  stageId?: string;
  /** Whether it was begun for this merge. */
  isOwn: boolean;
  keep: boolean;
}

export async function listNeeds(manager: EntityManager, mergeId: string): Promise<Need[]> {
  return manager.query<Need[]>(
    `select n.reference, n.pointer, n.import_id as import, n.stage_id as stage, coalesce(i.state, s.state) as state,
            coalesce(i.failure, s.failure) as failure, m.namespace || '/' || m.name || '@' || v.version as version
     from merge_needs n left join imports i on i.id = n.import_id left join merges s on s.id = n.stage_id
       left join versions v on v.id = coalesce(i.version_id, s.version_id) left join models m on m.id = v.model_id
     where n.merge_id = $1 order by n.reference`,
    [mergeId],
  );
}

export async function addNeed(manager: EntityManager, mergeId: string, need: NewNeed): Promise<void> {
  const { reference, pointer, importId, stageId, isOwn, keep } = need;
  await manager.query(
    `insert into merge_needs (merge_id, reference, pointer, import_id, stage_id, is_own, keep)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [mergeId, reference, pointer, importId ?? null, stageId ?? null, isOwn, keep],
  );
}

/** Whether a merge that has not ended waits for the version, or was promised it: its weights must stay. */
export async function isNeededByMerge(manager: EntityManager, versionId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `${needStates} join merges m on m.id = n.merge_id
     where m.state not in ('succeeded', 'failed', 'cancelled') and coalesce(i.version_id, s.version_id) = $1 limit 1`,
    [versionId],
  );
  return rows.length > 0;
}
