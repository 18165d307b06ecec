import type { EntityManager } from 'typeorm';
import type { MergeEvents } from './merge-events.js';
import type { MergeFailure } from './merges.schema.js';

// Steps that several services take inside a transaction that holds the row of the merge.

/** Moves a merge on whose shards are all done. */
export async function finishShards(manager: EntityManager, events: MergeEvents, mergeId: string): Promise<void> {
  const [left] = await manager.query<{ left: number }[]>(
    `select count(*)::int as left from merge_shards where merge_id = $1 and state <> 'done'`,
    [mergeId],
  );
  if (left?.left !== 0) return;
  // A retry whose shards were all kept has nobody who starts it.
  await events.move(manager, mergeId, 'start');
  await events.move(manager, mergeId, 'finalize');
}

/** Ends a merge; shards that still run are called off by their next heartbeat. */
export async function failMerge(
  manager: EntityManager,
  events: MergeEvents,
  mergeId: string,
  { code, detail, pointer }: MergeFailure,
): Promise<void> {
  const failure = { code, detail, ...(pointer !== undefined && { pointer }) };
  await events.move(manager, mergeId, 'fail', failure, { failure, owner: null, lease_until: null });
}

/** Ends a merge whose cancellation was asked for, unless somebody still works on it: then the sweep comes back to it. */
export async function finishCancelled(manager: EntityManager, events: MergeEvents, mergeId: string): Promise<boolean> {
  const [busy] = await manager.query<{ busy: boolean }[]>(
    `select exists (select 1 from merge_shards where merge_id = $1 and state = 'running' and lease_until >= now())
         or exists (select 1 from merges where id = $1 and owner is not null and lease_until >= now())
         or exists (select 1 from merge_preparations where merge_id = $1 and owner is not null and lease_until >= now())
         as busy`,
    [mergeId],
  );
  if (busy?.busy !== false) return false;
  return (await events.move(manager, mergeId, 'cancel')) !== undefined;
}
