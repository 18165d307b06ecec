import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { TensorReport } from '../engine/index.js';
import { leaseSeconds, type LeaseState, updated } from '../platform/leases.js';

export { heartbeatMs, leaseSeconds, updated } from '../platform/leases.js';

export type WorkerPool = 'cpu' | 'gpu';

/** A shard in somebody's hands. `attempt` and `owner` are the fence: whatever is written names both. */
export interface ShardClaim {
  mergeId: string;
  index: number;
  fileName: string;
  attempt: number;
  owner: string;
}

export interface StoredShard {
  sha256: string;
  bytes: number;
  objectKey: string;
  reports: readonly TensorReport[];
}

/** A shard that waits for a worker, with the number of its next announcement. */
export interface WaitingShard {
  mergeId: string;
  index: number;
  attempt: number;
  announcement: number;
}

const fence = 'merge_id = $1 and index = $2 and attempt = $3 and owner = $4';
const parametersOf = ({ mergeId, index, attempt, owner }: ShardClaim): unknown[] => [mergeId, index, attempt, owner];

/**
 * Who works on which shard. Every change is one statement that compares attempt and owner and uses the database's
 * clock: two workers that both believe to own a shard cannot both change it.
 */
@Injectable()
export class ShardLeases {
  constructor(private readonly database: DataSource) {}

  /** Takes the next shard that waits for a worker of this pool, oldest merge first; workers never wait for each other. */
  async claim(owner: string, pool: WorkerPool): Promise<ShardClaim | undefined> {
    const rows = await updated<{ merge_id: string; index: number; file_name: string; attempt: number }>(
      this.database.manager,
      `with free as (
         select s.merge_id, s.index from merge_shards s join merges m on m.id = s.merge_id
         where m.state in ('queued', 'running') and m.cancel_requested_at is null and m.device in ('auto', $2)
           and s.state = 'pending' and (s.lease_until is null or s.lease_until < now())
         order by m.created_at, s.index limit 1 for update of s skip locked)
       update merge_shards s
       set state = 'running', attempt = s.attempt + 1, owner = $1, done_bytes = 0,
           lease_until = now() + interval '${leaseSeconds} seconds'
       from free where s.merge_id = free.merge_id and s.index = free.index
       returning s.merge_id, s.index, s.file_name, s.attempt`,
      [owner, pool],
    );
    const [row] = rows;
    return row && { mergeId: row.merge_id, index: row.index, fileName: row.file_name, attempt: row.attempt, owner };
  }

  /** Prolongs a lease. */
  async renew(claim: ShardClaim): Promise<LeaseState> {
    const [row] = await updated<{ wanted: boolean }>(
      this.database.manager,
      `update merge_shards set lease_until = now() + interval '${leaseSeconds} seconds'
       where ${fence} and state = 'running'
       returning (select state in ('queued', 'running') and cancel_requested_at is null
                  from merges where id = merge_id) as wanted`,
      parametersOf(claim),
    );
    if (!row) return 'lost';
    return row.wanted ? 'held' : 'stop';
  }

  /** How far a shard is; of no importance, and therefore never more than one statement. */
  async progress(claim: ShardClaim, doneBytes: number): Promise<void> {
    await this.database.query(`update merge_shards set done_bytes = $5 where ${fence}`, [
      ...parametersOf(claim),
      doneBytes,
    ]);
  }

  /** Records a shard's result. False: the shard is somebody else's by now, and nothing was changed. */
  async commit(manager: EntityManager, claim: ShardClaim, stored: StoredShard): Promise<boolean> {
    const { sha256, bytes, objectKey, reports } = stored;
    const rows = await updated(
      manager,
      `update merge_shards
       set state = 'done', owner = null, lease_until = null, done_bytes = planned_bytes,
           sha256 = $5, bytes = $6, object_key = $7, reports = $8
       where ${fence} and state = 'running' returning index`,
      [...parametersOf(claim), sha256, bytes, objectKey, JSON.stringify(reports)],
    );
    return rows.length > 0;
  }

  /**
   * Gives a shard back.
   * @param failed counts against the shard; `waitSeconds` keeps everybody from it for a while
   * @returns how often it has failed; undefined when it was not ours any more
   */
  async release(
    manager: EntityManager,
    claim: ShardClaim,
    { failed = false, waitSeconds = 0 } = {},
  ): Promise<number | undefined> {
    const [row] = await updated<{ failures: number }>(
      manager,
      `update merge_shards
       set state = 'pending', owner = null, done_bytes = 0, failures = failures + $5::int,
           lease_until = now() + $6::int * interval '1 second', announced_at = null
       where ${fence} and state = 'running' returning failures`,
      [...parametersOf(claim), failed ? 1 : 0, waitSeconds],
    );
    return row?.failures;
  }

  /** Merges of which a shard's owner has not been heard of; with `everyOwner`, all that have an owner at all. */
  async listExpired(everyOwner: boolean): Promise<string[]> {
    const rows = await this.database.query<{ merge_id: string }[]>(
      `select distinct merge_id from merge_shards where state = 'running' and (lease_until < now() or $1)`,
      [everyOwner],
    );
    return rows.map(({ merge_id: mergeId }) => mergeId);
  }

  /** Takes the shards of dead owners back. The caller's transaction holds the merge. */
  async reclaim(
    manager: EntityManager,
    mergeId: string,
    everyOwner: boolean,
  ): Promise<{ index: number; attempt: number; failures: number }[]> {
    return updated(
      manager,
      `update merge_shards
       set state = 'pending', owner = null, lease_until = null, done_bytes = 0, failures = failures + 1,
           announced_at = null
       where merge_id = $1 and state = 'running' and (lease_until < now() or $2)
       returning index, attempt, failures`,
      [mergeId, everyOwner],
    );
  }

  /** Shards that nobody works on and that were not announced lately; each gets the number of its next announcement. */
  async listUnannounced(limit: number): Promise<WaitingShard[]> {
    const rows = await updated<Omit<WaitingShard, 'mergeId'> & { merge_id: string }>(
      this.database.manager,
      `with silent as (
         select s.merge_id, s.index from merge_shards s join merges m on m.id = s.merge_id
         where m.state in ('queued', 'running') and m.cancel_requested_at is null and s.state = 'pending'
           and (s.lease_until is null or s.lease_until < now())
           and (s.announced_at is null or s.announced_at < now() - interval '30 seconds')
         order by m.created_at, s.index limit $1 for update of s skip locked)
       update merge_shards s set announcement = s.announcement + 1, announced_at = now()
       from silent where s.merge_id = silent.merge_id and s.index = silent.index
       returning s.merge_id, s.index, s.attempt, s.announcement`,
      [limit],
    );
    return rows.map(({ merge_id: mergeId, ...row }) => ({ mergeId, ...row }));
  }
}
