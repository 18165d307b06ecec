import type { DataSource, EntityManager } from 'typeorm';
import { EventLog, type EventTables } from '../platform/event-log.js';
import type { AttemptFailure } from './hub-attempts.js';

/** Transfers of one kind. */
interface TransferTables<State extends string, Happening extends string> extends EventTables<State, Happening> {
  /** In which bytes move. */
  moving: State;
}

/**
 * What happens to imports or to publications, jobs that move files from or to elsewhere: written in the transaction of the
 * happening, and read by whoever follows. The rows have the columns of `JobRow`, sealed_token, done_bytes and total_bytes.
 */
export class TransferEvents<State extends string, Happening extends string> extends EventLog<
  State,
  Happening | 'cancel' | 'fail'
> {
  constructor(
    database: DataSource,
    private readonly transfers: TransferTables<State, Happening | 'cancel' | 'fail'>,
  ) {
    super(database, transfers);
  }

  protected override async forgetToken(manager: EntityManager, id: string): Promise<void> {
    await manager.query(`update ${this.transfers.jobs} set sealed_token = null where id = $1`, [id]);
  }

  /** Ends a transfer that failed for good. */
  async fail(manager: EntityManager, id: string, { code, detail }: AttemptFailure): Promise<void> {
    const failure = { code, detail };
    await this.move(manager, id, 'fail', failure, { failure });
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
    return row?.ready === true && (await this.move(manager, id, 'cancel')) !== undefined;
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
