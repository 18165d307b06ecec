import type { DataSource, EntityManager } from 'typeorm';
import { leaseSeconds, type LeaseState, updated } from './leases.js';

/** A job in somebody's hands. `attempt` and `owner` are the fence: whatever is written names both. */
export interface JobClaim {
  id: string;
  attempt: number;
  owner: string;
  /** Since anything was achieved; a worker that died counts. */
  failures: number;
}

/**
 * The rows that are leased, and when: SQL about a row that is called `job`. They have the columns attempt, owner,
 * lease_until and failures.
 */
export interface LeasedTable {
  table: string;
  /** One of its rows, for messages. */
  name: string;
  /** The column that names a row: `id`, unless said otherwise. */
  key?: string;
  /** That there is something to do. */
  hasWork: string;
  /** That somebody still wants the result: that nobody has asked to cancel it, unless said otherwise. */
  isWanted?: string;
  /** Which goes first: the oldest, unless said otherwise. */
  order?: string;
}

/** The job is somebody else's by now, or nobody wants it any more: nothing of ours counts. */
export class JobLost extends Error {
  override readonly name = 'JobLost';

  constructor(name: string, { id }: JobClaim) {
    super(`${name} ${id} is not this attempt's any more`);
  }
}

/** The condition of every write of an attempt, over the first three parameters of its statement. */
export function fenceOf(key: string): string {
  return `${key} = $1 and attempt = $2 and owner = $3`;
}

export function fenceParameters({ id, attempt, owner }: JobClaim): unknown[] {
  return [id, attempt, owner];
}

const lease = `now() + interval '${leaseSeconds} seconds'`;

/** SQL: that a row is in one of these states. */
export function inStates(states: readonly string[], row = 'job'): string {
  return `${row}.state in (${states.map((state) => `'${state}'`).join(', ')})`;
}

/**
 * Who works on which job of one kind, on the job's own row. Every change is one statement that compares attempt and owner
 * and uses the database's clock: two workers that both believe to own a job cannot both change it.
 */
export class JobLeases {
  readonly #jobs: Required<LeasedTable>;
  readonly #fence: string;

  constructor(
    private readonly database: DataSource,
    jobs: LeasedTable,
  ) {
    const { key = 'id', isWanted = 'job.cancel_requested_at is null' } = jobs;
    this.#jobs = { order: `job.created_at, job.${key}`, ...jobs, key, isWanted };
    this.#fence = fenceOf(`job.${key}`);
  }

  /** Takes the first job that waits for a worker, or whose worker died. */
  async claim(owner: string): Promise<JobClaim | undefined> {
    const { table, key, hasWork, isWanted, order } = this.#jobs;
    const [row] = await updated<Omit<JobClaim, 'owner'>>(
      this.database.manager,
      `update ${table} job
       set attempt = attempt + 1, failures = failures + (owner is not null)::int, owner = $1, lease_until = ${lease}
       where ${key} = (
         select ${key} from ${table} job
         where (${hasWork}) and (${isWanted}) and (lease_until is null or lease_until < now())
         order by ${order} limit 1 for update of job skip locked)
       returning ${key} as id, attempt, failures`,
      [owner],
    );
    return row && { ...row, owner };
  }

  /** Prolongs a lease. */
  async renew(claim: JobClaim): Promise<LeaseState> {
    const { table, isWanted } = this.#jobs;
    const [row] = await updated<{ wanted: boolean }>(
      this.database.manager,
      `update ${table} job set lease_until = ${lease} where ${this.#fence} returning (${isWanted}) as wanted`,
      fenceParameters(claim),
    );
    if (!row) return 'lost';
    return row.wanted ? 'held' : 'stop';
  }

  /** Locks the job. Inside a transaction that changes it. @throws JobLost when it is not ours or not wanted */
  async lock(manager: EntityManager, claim: JobClaim): Promise<void> {
    const { table, name, isWanted } = this.#jobs;
    const rows = await manager.query<unknown[]>(
      `select 1 from ${table} job where ${this.#fence} and (${isWanted}) for update of job`,
      fenceParameters(claim),
    );
    if (rows.length === 0) throw new JobLost(name, claim);
  }

  /**
   * How far a job is, where its row has the column done_bytes; never more than one statement.
   * @param isAchievement whether failures count anew from here on
   */
  async progress(claim: JobClaim, doneBytes: number, isAchievement = false): Promise<void> {
    await this.database.query(
      `update ${this.#jobs.table} job set done_bytes = $4, failures = case when $5 then 0 else failures end
       where ${this.#fence}`,
      [...fenceParameters(claim), doneBytes, isAchievement],
    );
  }

  /** Gives it back. @returns how often it has failed since it achieved anything; undefined when it was not ours */
  async release(manager: EntityManager, claim: JobClaim, isFailure: boolean): Promise<number | undefined> {
    const [row] = await updated<{ failures: number }>(
      manager,
      `update ${this.#jobs.table} job set owner = null, failures = failures + $4::int, lease_until = null
       where ${this.#fence} returning failures`,
      [...fenceParameters(claim), isFailure ? 1 : 0],
    );
    return row?.failures;
  }

  /** Keeps everybody from a job that was given back in the same transaction. */
  async postpone(manager: EntityManager, { id }: JobClaim, seconds: number): Promise<void> {
    const { table, key } = this.#jobs;
    await manager.query(`update ${table} set lease_until = now() + $2::int * interval '1 second' where ${key} = $1`, [
      id,
      seconds,
    ]);
  }

  /** After a restart of the only process there is: its predecessor's leases are nobody's. */
  async releaseAll(): Promise<void> {
    await this.database.query(
      `update ${this.#jobs.table} set owner = null, lease_until = null where owner is not null`,
    );
  }
}
