import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Changes } from '../platform/changes.js';
import { isTerminal, type MergeHappening, type MergeState, next, statesBefore } from './merge-state.js';

export interface MergeEventRecord {
  seq: number;
  type: string;
  data: Record<string, unknown>;
  createdAt: string;
}

const pageEvents = 500;

/** What happens to merges, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class MergeEvents {
  readonly #changes = new Changes();

  constructor(private readonly database: DataSource) {}

  /** A transaction that changes a merge; who follows it in this process hears of it after the commit. */
  async changing<T>(mergeId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    this.announce(mergeId);
    return result;
  }

  /** Tells this process that a merge has changed, for changes that were committed elsewhere in it. */
  announce(mergeId: string): void {
    this.#changes.announce(mergeId);
  }

  /** Calls back on every change of a merge that this process makes. @returns what ends it */
  onChange(mergeId: string, callback: () => void): () => void {
    return this.#changes.onChange(mergeId, callback);
  }

  /** Appends an event; the row of the merge is locked from here on, so events become visible in order. */
  async append(manager: EntityManager, mergeId: string, type: string, data: object): Promise<void> {
    await manager.query(
      `with merge as (update merges set event_seq = event_seq + 1 where id = $1 returning id, event_seq)
       insert into merge_events (merge_id, seq, type, data) select id, event_seq, $2, $3::jsonb from merge`,
      [mergeId, type, JSON.stringify(data)],
    );
  }

  /**
   * Moves a merge into the state that follows, with its event, when it is in a state in which this can happen.
   * @returns the new state, or undefined when nothing was changed
   */
  async move(
    manager: EntityManager,
    mergeId: string,
    happening: MergeHappening,
    data: object = {},
  ): Promise<MergeState | undefined> {
    const before = statesBefore(happening);
    const target = before[0] && next(before[0], happening);
    const rows = await manager.query<unknown[]>(
      `with merge as (
         update merges set state = $3, event_seq = event_seq + 1,
           finished_at = case when $4 then now() else null end
         where id = $1 and state = any($2) returning id, event_seq)
       insert into merge_events (merge_id, seq, type, data) select id, event_seq, $3, $5::jsonb from merge returning seq`,
      [mergeId, before, target, target !== undefined && isTerminal(target), JSON.stringify(data)],
    );
    return rows.length > 0 ? target : undefined;
  }

  /** A progress event with the merge's present numbers, unless the last one is younger than a second. */
  async tellProgress(mergeId: string): Promise<void> {
    await this.database.query(
      `with told as (
         update merges set event_seq = event_seq + 1, progress_at = now()
         where id = $1 and state = 'running' and (progress_at is null or progress_at < now() - interval '1 second')
         returning id, event_seq)
       insert into merge_events (merge_id, seq, type, data)
       select id, event_seq, 'progress', (
         select jsonb_build_object('bytesDone', sum(done_bytes), 'bytesTotal', sum(planned_bytes),
           'shardsDone', count(*) filter (where state = 'done'), 'shardsTotal', count(*))
         from merge_shards where merge_id = $1) from told`,
      [mergeId],
    );
    this.announce(mergeId);
  }

  async list(mergeId: string, after: number, limit = pageEvents): Promise<MergeEventRecord[]> {
    const rows = await this.database.query<(Omit<MergeEventRecord, 'createdAt'> & { created_at: Date })[]>(
      'select seq, type, data, created_at from merge_events where merge_id = $1 and seq > $2 order by seq limit $3',
      [mergeId, after, limit],
    );
    return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));
  }

  /** Every event after `after`, as it happens, until the merge has ended and all is told. */
  follow(mergeId: string, after: number, signal: AbortSignal): AsyncGenerator<MergeEventRecord> {
    return this.#changes.follow(mergeId, after, signal, {
      endedAt: () => this.#endedAt(mergeId),
      list: (last) => this.list(mergeId, last),
    });
  }

  /** The last event's number once the merge has ended; asked before the events are read, so that none is missed. */
  async #endedAt(mergeId: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ state: MergeState; event_seq: number }[]>(
      'select state, event_seq from merges where id = $1',
      [mergeId],
    );
    return row === undefined || isTerminal(row.state) ? (row?.event_seq ?? 0) : undefined;
  }
}
