import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { EventLog } from '../platform/event-log.js';
import {
  isTerminal,
  next,
  type PublicationHappening,
  type PublicationState,
  statesBefore,
} from './publication-state.js';

/** What happens to publications, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class PublicationEvents extends EventLog<PublicationState> {
  constructor(database: DataSource) {
    super(database, { jobs: 'publications', events: 'publication_events', job: 'publication_id', isTerminal });
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
}
