import type { EntityManager } from 'typeorm';

/** Whether a version is on the Hub, or on its way there: whoever finds it there may ask here for its weights. */
export async function isPublished(manager: EntityManager, versionId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `select 1 from publications where version_id = $1 and state not in ('failed', 'cancelled') limit 1`,
    [versionId],
  );
  return rows.length > 0;
}
