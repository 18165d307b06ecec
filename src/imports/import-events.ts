import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Changes } from '../platform/changes.js';
import { type ImportHappening, type ImportState, isTerminal, next, statesBefore } from './import-state.js';

export interface ImportEventRecord {
  seq: number;
  type: string;
  data: Record<string, unknown>;
  createdAt: string;
}

const pageEvents = 500;

/** What happens to imports, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class ImportEvents {
  readonly #changes = new Changes();

  constructor(private readonly database: DataSource) {}

  /** A transaction that changes an import; who follows it in this process hears of it after the commit. */
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

  /** Appends an event; the import's row is locked from here on, so events become visible in order. */
  async append(manager: EntityManager, id: string, type: string, data: object): Promise<void> {
    await manager.query(
      `with import as (update imports set event_seq = event_seq + 1 where id = $1 returning id, event_seq)
       insert into import_events (import_id, seq, type, data) select id, event_seq, $2, $3::jsonb from import`,
      [id, type, JSON.stringify(data)],
    );
  }

  /**
   * Moves an import into the state that follows, with its event, when it is in a state in which this can happen. One that
   * has ended forgets its token.
   * @param versionId what it made, when it succeeds
   * @returns whether anything was changed
   */
  async move(
    manager: EntityManager,
    id: string,
    happening: ImportHappening,
    data: object = {},
    versionId: string | null = null,
  ): Promise<boolean> {
    const before = statesBefore(happening);
    const target = before[0] && next(before[0], happening);
    const rows = await manager.query<unknown[]>(
      `with import as (
         update imports set state = $3, event_seq = event_seq + 1, version_id = $6,
           finished_at = case when $4 then now() else null end,
           sealed_token = case when $4 then null else sealed_token end
         where id = $1 and state = any($2) returning id, event_seq)
       insert into import_events (import_id, seq, type, data)
       select id, event_seq, $3, $5::jsonb from import returning seq`,
      [id, before, target, target !== undefined && isTerminal(target), JSON.stringify(data), versionId],
    );
    return rows.length > 0;
  }

  /** A progress event with the import's present numbers, unless the last one is younger than a second. */
  async tellProgress(id: string): Promise<void> {
    await this.database.query(
      `with told as (
         update imports set event_seq = event_seq + 1, progress_at = now()
         where id = $1 and state = 'fetching' and (progress_at is null or progress_at < now() - interval '1 second')
         returning id, event_seq, done_bytes, total_bytes)
       insert into import_events (import_id, seq, type, data)
       select id, event_seq, 'progress', jsonb_build_object('bytesDone', done_bytes, 'bytesTotal', total_bytes) from told`,
      [id],
    );
    this.announce(id);
  }

  async list(id: string, after: number, limit = pageEvents): Promise<ImportEventRecord[]> {
    const rows = await this.database.query<(Omit<ImportEventRecord, 'createdAt'> & { created_at: Date })[]>(
      'select seq, type, data, created_at from import_events where import_id = $1 and seq > $2 order by seq limit $3',
      [id, after, limit],
    );
    return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));
  }

  /** Every event after `after`, as it happens, until the import has ended and all is told. */
  follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<ImportEventRecord> {
    return this.#changes.follow(id, after, signal, {
      endedAt: () => this.#endedAt(id),
      list: (last) => this.list(id, last),
    });
  }

  async #endedAt(id: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ state: ImportState; event_seq: number }[]>(
      'select state, event_seq from imports where id = $1',
      [id],
    );
    return row === undefined || isTerminal(row.state) ? (row?.event_seq ?? 0) : undefined;
  }
}
