import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { leaseSeconds, type LeaseState, updated } from '../platform/leases.js';
import { workStates } from './publication-state.js';

/** A publication in somebody's hands. `attempt` and `owner` are the fence: whatever is written names both. */
export interface PublicationClaim {
  id: string;
  attempt: number;
  owner: string;
  /** Since anything was achieved; a worker that died counts. */
  failures?: number;
}

export const fence = 'id = $1 and attempt = $2 and owner = $3';
export const parametersOf = ({ id, attempt, owner }: PublicationClaim): unknown[] => [id, attempt, owner];

const states = workStates.map((state) => `'${state}'`).join(', ');

/** The publication is somebody else's by now, or nobody wants it any more: nothing of ours counts. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

/** Who works on which publication: the same rules as for shards of merges, on the publication's own row. */
@Injectable()
export class PublicationLeases {
  constructor(private readonly database: DataSource) {}

  /**
   * Takes the oldest publication that waits for a worker, or whose worker died. Of one repository one at a time, so that
   * two versions arrive in the order in which they were asked for.
   */
  async claim(owner: string): Promise<PublicationClaim | undefined> {
    const [row] = await updated<{ id: string; attempt: number; failures: number }>(
      this.database.manager,
      `update publications set attempt = attempt + 1, failures = failures + (owner is not null)::int, owner = $1, lease_until = now() + interval '${leaseSeconds} seconds'
       where id = (
         select p.id from publications p
         where p.state in (${states}) and p.cancel_requested_at is null and (p.lease_until is null or p.lease_until < now())
           and not exists (
             select 1 from publications o where o.repository = p.repository and o.state in (${states})
               and (o.created_at, o.id) < (p.created_at, p.id))
         order by p.created_at, p.id limit 1 for update skip locked)
       returning id, attempt, failures`,
      [owner],
    );
    return row && { ...row, owner };
  }

  async renew(claim: PublicationClaim): Promise<LeaseState> {
    const [row] = await updated<{ wanted: boolean }>(
      this.database.manager,
      `update publications set lease_until = now() + interval '${leaseSeconds} seconds' where ${fence}
       returning cancel_requested_at is null as wanted`,
      parametersOf(claim),
    );
    if (!row) return 'lost';
    return row.wanted ? 'held' : 'stop';
  }

  /** Locks the publication. Inside a transaction that changes it. @throws ClaimLost when it is not ours or not wanted */
  async lock(manager: EntityManager, claim: PublicationClaim): Promise<void> {
    const rows = await manager.query<unknown[]>(
      `select 1 from publications where ${fence} and cancel_requested_at is null for update`,
      parametersOf(claim),
    );
    if (rows.length === 0) throw new ClaimLost(`publication ${claim.id} is not this attempt's any more`);
  }

  /** How far it is; of no importance, and therefore never more than one statement. */
  async progress(claim: PublicationClaim, doneBytes: number): Promise<void> {
    await this.database.query(`update publications set done_bytes = $4 where ${fence}`, [
      ...parametersOf(claim),
      doneBytes,
    ]);
  }

  /** Gives it back. @returns how often it has failed since it last achieved anything; undefined when it was not ours */
  async release(
    manager: EntityManager,
    claim: PublicationClaim,
    { failed = false, waitSeconds = 0 } = {},
  ): Promise<number | undefined> {
    const [row] = await updated<{ failures: number }>(
      manager,
      `update publications set owner = null, failures = failures + $4::int, lease_until = now() + $5::int * interval '1 second'
       where ${fence} returning failures`,
      [...parametersOf(claim), failed ? 1 : 0, waitSeconds],
    );
    return row?.failures;
  }

  /** After a restart of the only process there is: its predecessor's leases are nobody's. */
  async releaseAll(): Promise<void> {
    await this.database.query('update publications set owner = null, lease_until = null where owner is not null');
  }
}
