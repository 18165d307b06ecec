import type { EntityManager } from 'typeorm';
import type { Merge, MergeFailure, MergeNeed, Plan } from './merges.schema.js';
import { isTerminal, type MergeState } from './merge-state.js';

/** A merge as the API shows it; conditions on m follow. The plan itself stays where it is: it can have megabytes. */
export const selectMerges = `
  select m.id, m.state, m.output_namespace, m.output_name, m.output_alias, m.version_number, m.recipe, m.labels,
         m.device, m.summary, m.failure, m.cancel_requested_at, m.deduplicated_from, m.created_by, m.created_at,
         m.finished_at, m.event_seq, p.shards_done, p.bytes_done, w.needs
  from merges m left join lateral (
    select jsonb_agg(jsonb_build_object('reference', n.reference, 'import', n.import_id, 'merge', n.stage_id,
             'state', coalesce(i.state, s.state),
             'version', r.namespace || '/' || r.name || '@' || v.version) order by n.reference) as needs
    from merge_needs n left join imports i on i.id = n.import_id left join merges s on s.id = n.stage_id
      left join versions v on v.id = coalesce(i.version_id, s.version_id) left join models r on r.id = v.model_id
    where n.merge_id = m.id) w on true left join lateral (
    select (count(*) filter (where s.state = 'done'))::int as shards_done, sum(s.done_bytes) as bytes_done
    from merge_shards s where s.merge_id = m.id) p on true`;

export interface MergeRecord {
  id: string;
  state: MergeState;
  output_namespace: string;
  output_name: string;
  output_alias: string | null;
  version_number: number | null;
  recipe: Record<string, unknown>;
  labels: Record<string, string>;
  device: string;
  summary: Plan | null;
  failure: MergeFailure | null;
  cancel_requested_at: Date | null;
  deduplicated_from: string | null;
  created_by: string;
  created_at: Date;
  finished_at: Date | null;
  event_seq: number;
  shards_done: number;
  bytes_done: string | null;
  needs: MergeNeed[] | null;
}

export function mergeOf(row: MergeRecord): Merge {
  const output = `${row.output_namespace}/${row.output_name}`;
  return {
    id: row.id,
    state: row.state,
    deduplicated: row.deduplicated_from !== null,
    output,
    alias: row.output_alias,
    version: row.version_number === null ? null : `${output}@${row.version_number}`,
    progress: progressOf(row),
    cancelRequested: row.cancel_requested_at !== null && !isTerminal(row.state),
    failure: row.failure,
    device: row.device,
    labels: row.labels,
    recipe: row.recipe,
    // Plans of earlier releases lack what came later.
    plan: row.summary && { ...{ fetchBytes: 0, stages: [] }, ...row.summary },
    needs: row.needs ?? [],
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    lastEvent: row.event_seq,
  };
}

function progressOf({ state, summary, ...row }: MergeRecord): Merge['progress'] {
  const { shards: shardsTotal, outputBytes: bytesTotal } = summary ?? { shards: 0, outputBytes: 0 };
  // A merge that found its bytes stored has no shards of its own.
  if (state === 'succeeded') return { shardsDone: shardsTotal, shardsTotal, bytesDone: bytesTotal, bytesTotal };
  return { shardsDone: row.shards_done, shardsTotal, bytesDone: Number(row.bytes_done ?? 0), bytesTotal };
}

/** Reads one merge inside whatever transaction the manager has. */
export async function findMerge(manager: EntityManager, id: string): Promise<Merge | undefined> {
  const [row] = await manager.query<MergeRecord[]>(`${selectMerges} where m.id = $1`, [id]);
  return row && mergeOf(row);
}
