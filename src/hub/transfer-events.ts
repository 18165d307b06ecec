import type { DataSource, EntityManager } from 'typeorm';
import { EventLog, type EventTables } from '../platform/event-log.js';
import type { StateMachine } from '../platform/state-machine.js';
import type { AttemptFailure } from './hub-attempts.js';

/** Transfers of one kind: their tables, and their life. */
interface TransferTables<State extends string, Happening extends string> extends Omit<
  EventTables<State>,
  'isTerminal'
> {
  life: Pick<StateMachine<State, Happening>, 'next' | 'statesBefore' | 'isTerminal'>;
  /** In which bytes move. */
  moving: State;
  /** The column that names what a transfer has made, where it makes something. */
  result?: string;
}

/**
 * What happens to imports or to publications, jobs that move files from or to elsewhere: written in the transaction of the
 * happening, and read by whoever follows. The rows have the columns of `JobRow`, sealed_token, done_bytes and total_bytes.
 */
export class TransferEvents<State extends string, Happening extends string> extends EventLog<State> {
  constructor(
    database: DataSource,
    private readonly transfers: TransferTables<State, Happening | 'cancel' | 'fail'>,
  ) {
    super(database, { ...transfers, isTerminal: transfers.life.isTerminal });
  }

  /**
   * Moves a transfer into the state that follows, with its event, when it is in a state in which this can happen. One that has
   * ended forgets its token.
   * @param result what it made, when it succeeds
   * @returns whether anything was changed
   */
  async move(
    manager: EntityManager,
    id: string,
    happening: Happening | 'cancel' | 'fail',
    data: object = {},
    result: string | null = null,
  ): Promise<boolean> {
    const { jobs, events, job, life, result: column } = this.transfers;
    const before = life.statesBefore(happening);
    const target = before[0] && life.next(before[0], happening);
    const hasEnded = target !== undefined && life.isTerminal(target);
    const rows = await manager.query<unknown[]>(
      `with transfer as (
         update ${jobs} set state = $3, event_seq = event_seq + 1, ${column === undefined ? '' : `${column} = $6,`}
           finished_at = case when $4 then now() else null end,
           sealed_token = case when $4 then null else sealed_token end
         where id = $1 and state = any($2) returning id, event_seq)
       insert into ${events} (${job}, seq, type, data)
       select id, event_seq, $3, $5::jsonb from transfer returning seq`,
      [id, before, target, hasEnded, JSON.stringify(data), ...(column === undefined ? [] : [result])],
    );
    return rows.length > 0;
  }

  /** Ends a transfer that failed for good. */
  async fail(manager: EntityManager, id: string, { code, detail }: AttemptFailure): Promise<void> {
    await this.move(manager, id, 'fail', { code, detail });
    await manager.query(`update ${this.transfers.jobs} set failure = $2 where id = $1`, [
      id,
      JSON.stringify({ code, detail }),
    ]);
  }

  /** Notes that somebody wants a transfer to end, and ends it unless somebody works on it. */
  async askToCancel(manager: EntityManager, id: string): Promise<void> {
    const { jobs } = this.transfers;
    const rows = await manager.query<unknown[]>(
      `with asked as (
         update ${jobs} set cancel_requested_at = now() where id = $1 and cancel_requested_at is null returning id)
       select id from asked`,
      [id],
    );
    if (rows.length > 0) await this.append(manager, id, 'cancel-requested', {});
    await this.cancelIfWanted(manager, id);
  }

  /** Ends a transfer whose cancellation was asked for, unless somebody still works on it. @returns whether it did */
  async cancelIfWanted(manager: EntityManager, id: string): Promise<boolean> {
    const [row] = await manager.query<{ ready: boolean }[]>(
      `select cancel_requested_at is not null and (owner is null or lease_until < now()) as ready
       from ${this.transfers.jobs} where id = $1 for update`,
      [id],
    );
    return row?.ready === true && this.move(manager, id, 'cancel');
  }

  /** The same of all of them. */
  async cancelAllWanted(): Promise<void> {
    const wanted = await this.database.query<{ id: string }[]>(
      `select id from ${this.transfers.jobs}
       where cancel_requested_at is not null and state not in ('succeeded', 'failed', 'cancelled')`,
    );
    for (const { id } of wanted) await this.changing(id, (manager) => this.cancelIfWanted(manager, id));
  }

  /** A progress event with the present numbers, unless the last one is younger than a second. */
  async tellProgress(id: string): Promise<void> {
    const { jobs, events, job, moving } = this.transfers;
    await this.database.query(
      `with told as (
         update ${jobs} set event_seq = event_seq + 1, progress_at = now()
         where id = $1 and state = $2 and (progress_at is null or progress_at < now() - interval '1 second')
         returning id, event_seq, done_bytes, total_bytes)
       insert into ${events} (${job}, seq, type, data)
       select id, event_seq, 'progress', jsonb_build_object('bytesDone', done_bytes, 'bytesTotal', total_bytes) from told`,
      [id, moving],
    );
    this.announce(id);
  }
}
