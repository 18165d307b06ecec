import type { EntityManager } from 'typeorm';
import { isNeededByMerge } from './preparation/needs.js';

/** Whether a merge that has not ended reads the version, or will: its weights must stay. */
export async function isInputOfRunningMerge(manager: EntityManager, versionId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `select 1 from merge_inputs i join merges m on m.id = i.merge_id
     where i.version_id = $1 and m.state not in ('succeeded', 'failed', 'cancelled') limit 1`,
    [versionId],
  );
  return rows.length > 0 || isNeededByMerge(manager, versionId);
}
