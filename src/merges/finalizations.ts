import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { leaseSeconds, updated } from './shard-leases.js';

/** A merge whose shards are all there, in the hands of whoever makes the version. */
export interface FinalClaim {
  mergeId: string;
  attempt: number;
  owner: string;
}

const fence = `id = $1 and attempt = $2 and owner = $3 and state = 'finalizing'`;
const parametersOf = ({ mergeId, attempt, owner }: FinalClaim): unknown[] => [mergeId, attempt, owner];

/** Who makes the version of a merge: the same rules as for shards, on the merge's own row. */
@Injectable()
export class Finalizations {
  constructor(private readonly database: DataSource) {}

  async claim(owner: string): Promise<FinalClaim | undefined> {
    const [row] = await updated<{ id: string; attempt: number }>(
      this.database.manager,
      `update merges set attempt = attempt + 1, owner = $1, lease_until = now() + interval '${leaseSeconds} seconds'
       where id = (
         select id from merges
         where state = 'finalizing' and cancel_requested_at is null and (lease_until is null or lease_until < now())
         order by created_at limit 1 for update skip locked)
       returning id, attempt`,
      [owner],
    );
    return row && { mergeId: row.id, attempt: row.attempt, owner };
  }

  async renew(claim: FinalClaim): Promise<boolean> {
    const rows = await updated(
      this.database.manager,
      `update merges set lease_until = now() + interval '${leaseSeconds} seconds'
       where ${fence} and cancel_requested_at is null returning id`,
      parametersOf(claim),
    );
    return rows.length > 0;
  }

  /** Locks the merge when it is still ours and still wanted. Inside the transaction that makes the version. */
  async lock(manager: EntityManager, claim: FinalClaim): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `select 1 from merges where ${fence} and cancel_requested_at is null for update`,
      parametersOf(claim),
    );
    return rows.length > 0;
  }

  /** Gives the merge back. @returns how often this has failed; undefined when it was not ours any more */
  async release(
    manager: EntityManager,
    claim: FinalClaim,
    { failed = false, waitSeconds = 0 } = {},
  ): Promise<number | undefined> {
    const [row] = await updated<{ failures: number }>(
      manager,
      `update merges set owner = null, failures = failures + $4::int, lease_until = now() + $5::int * interval '1 second'
       where ${fence} returning failures`,
      [...parametersOf(claim), failed ? 1 : 0, waitSeconds],
    );
    return row?.failures;
  }

  /** After a restart of the only process there is: its predecessor's leases are nobody's. */
  async releaseAll(): Promise<void> {
    await this.database.query(
      `update merges set owner = null, lease_until = null where state = 'finalizing' and owner is not null`,
    );
  }
}
