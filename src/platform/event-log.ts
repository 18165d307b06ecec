import type { DataSource, EntityManager } from 'typeorm';
import { Changes } from './changes.js';
import type { StateMachine } from './state-machine.js';

export interface EventRecord {
  seq: number;
  type: string;
  data: Record<string, unknown>;
  createdAt: string;
}

/** Jobs of one kind: where they and their events lie, and their life. The rows of jobs have the columns of `JobRow`. */
export interface EventTables<State extends string, Happening extends string> {
  jobs: string;
  events: string;
  /** The column of `events` that names the job. */
  job: string;
  life: Pick<StateMachine<State, Happening>, 'next' | 'statesBefore' | 'isTerminal'>;
}

const pageEvents = 500;

/** What happens to the jobs of one kind, written in the transaction of the happening and read by whoever follows. */
export abstract class EventLog<State extends string, Happening extends string> {
  readonly #changes = new Changes();

  constructor(
    protected readonly database: DataSource,
    private readonly tables: EventTables<State, Happening>,
  ) {}

  /** A transaction that changes a job; who follows it in this process hears of it after the commit. */
  async changing<T>(id: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    this.announce(id);
    return result;
  }

  /** Tells this process that a job has changed, for changes that were committed elsewhere in it. */
  announce(id: string): void {
    this.#changes.announce(id);
  }

  /** Calls back on every change of a job that this process makes. @returns what ends it */
  onChange(id: string, callback: () => void): () => void {
    return this.#changes.onChange(id, callback);
  }

  /**
   * Moves a job into the state that follows, with its event, when it is in a state in which this can happen. One that has
   * ended forgets its token.
   * @param columns of the job's row that change with it
   * @returns the new state, or undefined when nothing was changed
   */
  async move(
    manager: EntityManager,
    id: string,
    happening: Happening,
    data: object = {},
    columns: Readonly<Record<string, unknown>> = {},
  ): Promise<State | undefined> {
    const { jobs, events, job, life } = this.tables;
    const before = life.statesBefore(happening);
    const target = before[0] && life.next(before[0], happening);
    const hasEnded = target !== undefined && life.isTerminal(target);
    const also = Object.keys(columns).map((column, i) => `, ${column} = $${i + 6}`);
    const rows = await manager.query<unknown[]>(
      `with job as (
         update ${jobs} set state = $3, event_seq = event_seq + 1,
           finished_at = case when $4 then now() else null end${also.join('')}
         where id = $1 and state = any($2) returning id, event_seq)
       insert into ${events} (${job}, seq, type, data) select id, event_seq, $3, $5::jsonb from job returning seq`,
      [id, before, target, hasEnded, JSON.stringify(data), ...Object.values(columns)],
    );
    if (rows.length === 0) return undefined;
    if (hasEnded) await this.forgetToken(manager, id);
    return target;
  }

  /** The Hub's token that a job may have brought, kept where its kind keeps it. */
  protected abstract forgetToken(manager: EntityManager, id: string): Promise<void>;

  /** Appends an event; the job's row is locked from here on, so events become visible in order. */
  async append(manager: EntityManager, id: string, type: string, data: object): Promise<void> {
    const { jobs, events, job } = this.tables;
    await manager.query(
      `with job as (update ${jobs} set event_seq = event_seq + 1 where id = $1 returning id, event_seq)
       insert into ${events} (${job}, seq, type, data) select id, event_seq, $2, $3::jsonb from job`,
      [id, type, JSON.stringify(data)],
    );
  }

  async list(id: string, after: number, limit = pageEvents): Promise<EventRecord[]> {
    const { events, job } = this.tables;
    const rows = await this.database.query<(Omit<EventRecord, 'createdAt'> & { created_at: Date })[]>(
      `select seq, type, data, created_at from ${events} where ${job} = $1 and seq > $2 order by seq limit $3`,
      [id, after, limit],
    );
    return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));
  }

  /** Every event after `after`, as it happens, until the job has ended and all is told. */
  follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<EventRecord> {
    return this.#changes.follow(id, after, signal, {
      endedAt: () => this.#endedAt(id),
      list: (last) => this.list(id, last),
    });
  }

  async #endedAt(id: string): Promise<number | undefined> {
    const { jobs, life } = this.tables;
    const [row] = await this.database.query<{ state: State; event_seq: number }[]>(
      `select state, event_seq from ${jobs} where id = $1`,
      [id],
    );
    return row === undefined || life.isTerminal(row.state) ? (row?.event_seq ?? 0) : undefined;
  }
}
