import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { EventLog } from '../platform/event-log.js';
import { type ImportHappening, type ImportState, isTerminal, next, statesBefore } from './import-state.js';

/** What happens to imports, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class ImportEvents extends EventLog<ImportState> {
  constructor(database: DataSource) {
    super(database, { jobs: 'imports', events: 'import_events', job: 'import_id', isTerminal });
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
}
