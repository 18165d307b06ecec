import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { leaseSeconds, type LeaseState, updated } from '../platform/leases.js';
import { workStates } from './import-state.js';

/** An import in somebody's hands. `attempt` and `owner` are the fence: whatever is written names both. */
export interface ImportClaim {
  id: string;
  attempt: number;
  owner: string;
  /** Since a file was finished; a worker that died counts. */
  failures: number;
}

const fence = 'id = $1 and attempt = $2 and owner = $3';
const parametersOf = ({ id, attempt, owner }: ImportClaim): unknown[] => [id, attempt, owner];
const states = workStates.map((state) => `'${state}'`).join(', ');

/** The import is somebody else's by now, or nobody wants it any more: nothing of ours counts. */
export class ImportLost extends Error {
  override readonly name = 'ImportLost';
}

/** Who works on which import: the same rules as for shards of merges, on the import's own row. */
@Injectable()
export class ImportLeases {
  constructor(private readonly database: DataSource) {}

  /** Takes the oldest import that waits for a worker, or whose worker died. */
  async claim(owner: string): Promise<ImportClaim | undefined> {
    const [row] = await updated<{ id: string; attempt: number; failures: number }>(
      this.database.manager,
      `update imports set attempt = attempt + 1, failures = failures + (owner is not null)::int, owner = $1,
              lease_until = now() + interval '${leaseSeconds} seconds'
       where id = (
         select id from imports
         where state in (${states}) and cancel_requested_at is null and (lease_until is null or lease_until < now())
         order by created_at, id limit 1 for update skip locked)
       returning id, attempt, failures`,
      [owner],
    );
    return row && { ...row, owner };
  }

  async renew(claim: ImportClaim): Promise<LeaseState> {
    const [row] = await updated<{ wanted: boolean }>(
      this.database.manager,
      `update imports set lease_until = now() + interval '${leaseSeconds} seconds' where ${fence}
       returning cancel_requested_at is null as wanted`,
      parametersOf(claim),
    );
    if (!row) return 'lost';
    return row.wanted ? 'held' : 'stop';
  }

  /** Locks the import. Inside a transaction that changes it. @throws ImportLost when it is not ours or not wanted */
  async lock(manager: EntityManager, claim: ImportClaim): Promise<void> {
    const rows = await manager.query<unknown[]>(
      `select 1 from imports where ${fence} and cancel_requested_at is null for update`,
      parametersOf(claim),
    );
    if (rows.length === 0) throw new ImportLost(`import ${claim.id} is not this attempt's any more`);
  }

  /** How far it is. @param isFileDone whether that is an achievement, after which failures count anew */
  async progress(claim: ImportClaim, doneBytes: number, isFileDone = false): Promise<void> {
    await this.database.query(
      `update imports set done_bytes = $4, failures = case when $5 then 0 else failures end where ${fence}`,
      [...parametersOf(claim), doneBytes, isFileDone],
    );
  }

  /** Gives it back. @returns how often it has failed since it last achieved anything; undefined when it was not ours */
  async release(manager: EntityManager, claim: ImportClaim, isFailure: boolean): Promise<number | undefined> {
    const [row] = await updated<{ failures: number }>(
      manager,
      `update imports set owner = null, failures = failures + $4::int, lease_until = null where ${fence} returning failures`,
      [...parametersOf(claim), isFailure ? 1 : 0],
    );
    return row?.failures;
  }

  /** After a restart of the only process there is: its predecessor's leases are nobody's. */
  async releaseAll(): Promise<void> {
    await this.database.query('update imports set owner = null, lease_until = null where owner is not null');
  }
}
