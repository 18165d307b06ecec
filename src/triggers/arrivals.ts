import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/**
 * Notices new versions of watched models. The versions themselves are the outbox: they are numbered without gaps in the
 * order of their commits, and a trigger knows up to which number it has seen them. So a version that is there is never
 * missed, whatever dies, and no code that makes versions has to think of triggers.
 */
@Injectable()
export class Arrivals {
  constructor(private readonly database: DataSource) {}

  /** Writes down every checkpoint that came since the last look. @returns how many triggers had some */
  async record(): Promise<number> {
    const found = await this.database.query<unknown[]>(
      `select 1 from triggers t where t.enabled and ${hasNews} limit 1`,
    );
    if (found.length === 0) return 0;
    return this.database.transaction(async (manager) => {
      const triggers = await manager.query<{ id: string }[]>(
        `select t.id from triggers t where t.enabled and ${hasNews} order by t.id for update skip locked`,
      );
      for (const { id } of triggers) await recordArrivals(manager, id);
      return triggers.length;
    });
  }
}

const newVersions = `
  select v.id, v.digest, v.version from models m join versions v on v.model_id = m.id
  where m.namespace = t.watch_namespace and m.name = t.watch_name and v.version > t.seen_version`;
const hasNews = `exists (${newVersions})`;

/**
 * In one statement, so that what is recorded and what counts as seen are the same versions. The same bytes again are in
 * the table already, and nothing happens. The caller holds the trigger's row.
 */
export async function recordArrivals(manager: EntityManager, triggerId: string): Promise<void> {
  await manager.query(
    `with found as materialized (select n.* from triggers t, lateral (${newVersions}) n where t.id = $1),
     added as (
       insert into trigger_runs (trigger_id, checkpoint_digest, version_id, version_number, origin, state)
       select $1, digest, id, version, 'arrival', 'waiting' from found order by version
       on conflict do nothing)
     update triggers set seen_version = (select max(version) from found) where id = $1 and exists (select 1 from found)`,
    [triggerId],
  );
}

/** Counts every version so far as seen: those are for a back-fill. The caller holds the trigger's row, or has made it. */
export async function skipArrivals(manager: EntityManager, triggerId: string): Promise<void> {
  await manager.query(
    `update triggers t set seen_version = greatest(t.seen_version, (select coalesce(max(n.version), 0) from (${newVersions}) n))
     where t.id = $1`,
    [triggerId],
  );
}

/** Whether some trigger has yet to merge the version: its weights must stay. */
export async function isAwaitedCheckpoint(manager: EntityManager, versionId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `select 1 from trigger_runs where version_id = $1 and state = 'waiting'
     union all
     select 1 from triggers t, lateral (${newVersions}) n where t.enabled and n.id = $1 limit 1`,
    [versionId],
  );
  return rows.length > 0;
}
