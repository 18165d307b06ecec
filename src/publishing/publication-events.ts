import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Changes } from '../platform/changes.js';
import {
  isTerminal,
  next,
  type PublicationHappening,
  type PublicationState,
  statesBefore,
} from './publication-state.js';

export interface PublicationEventRecord {
  seq: number;
  type: string;
  data: Record<string, unknown>;
  createdAt: string;
}

const pageEvents = 500;

/** What happens to publications, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class PublicationEvents {
  readonly #changes = new Changes();

  constructor(private readonly database: DataSource) {}

  /** A transaction that changes a publication; who follows it in this process hears of it after the commit. */
  async changing<T>(id: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(work);
    this.announce(id);
    return result;
  }

  announce(id: string): void {
    this.#changes.announce(id);
  }

  /** @returns what ends it */
  onChange(id: string, callback: () => void): () => void {
    return this.#changes.onChange(id, callback);
  }

  /** Appends an event; the publication's row is locked from here on, so events become visible in order. */
  async append(manager: EntityManager, id: string, type: string, data: object): Promise<void> {
    await manager.query(
      `with publication as (update publications set event_seq = event_seq + 1 where id = $1 returning id, event_seq)
       insert into publication_events (publication_id, seq, type, data) select id, event_seq, $2, $3::jsonb from publication`,
      [id, type, JSON.stringify(data)],
    );
  }

  /**
   * Moves a publication into the state that follows, with its event, when it is in a state in which this can happen. One
   * that has ended forgets its token.
   * @returns the new state, or undefined when nothing was changed
   */
  async move(
    manager: EntityManager,
    id: string,
    happening: PublicationHappening,
    data: object = {},
  ): Promise<PublicationState | undefined> {
    const before = statesBefore(happening);
    const target = before[0] && next(before[0], happening);
    const rows = await manager.query<unknown[]>(
      `with publication as (
         update publications set state = $3, event_seq = event_seq + 1,
           finished_at = case when $4 then now() else null end,
           sealed_token = case when $4 then null else sealed_token end
         where id = $1 and state = any($2) returning id, event_seq)
       insert into publication_events (publication_id, seq, type, data)
       select id, event_seq, $3, $5::jsonb from publication returning seq`,
      [id, before, target, target !== undefined && isTerminal(target), JSON.stringify(data)],
    );
    return rows.length > 0 ? target : undefined;
  }

  /** A progress event with the publication's present numbers, unless the last one is younger than a second. */
  async tellProgress(id: string): Promise<void> {
    await this.database.query(
      `with told as (
         update publications set event_seq = event_seq + 1, progress_at = now()
         where id = $1 and state = 'uploading' and (progress_at is null or progress_at < now() - interval '1 second')
         returning id, event_seq, done_bytes, total_bytes)
       insert into publication_events (publication_id, seq, type, data)
       select id, event_seq, 'progress', jsonb_build_object('bytesDone', done_bytes, 'bytesTotal', total_bytes) from told`,
      [id],
    );
    this.announce(id);
  }

  async list(id: string, after: number, limit = pageEvents): Promise<PublicationEventRecord[]> {
    const rows = await this.database.query<(Omit<PublicationEventRecord, 'createdAt'> & { created_at: Date })[]>(
      `select seq, type, data, created_at from publication_events
       where publication_id = $1 and seq > $2 order by seq limit $3`,
      [id, after, limit],
    );
    return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));
  }

  /** Every event after `after`, as it happens, until the publication has ended and all is told. */
  follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<PublicationEventRecord> {
    return this.#changes.follow(id, after, signal, {
      endedAt: () => this.#endedAt(id),
      list: (last) => this.list(id, last),
    });
  }

  async #endedAt(id: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ state: PublicationState; event_seq: number }[]>(
      'select state, event_seq from publications where id = $1',
      [id],
    );
    return row === undefined || isTerminal(row.state) ? (row?.event_seq ?? 0) : undefined;
  }
}
