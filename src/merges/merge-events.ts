import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { EventLog } from '../platform/event-log.js';
import { forgetToken } from './preparation/preparation-request.js';
import { isTerminal, type MergeHappening, type MergeState, next, statesBefore } from './merge-state.js';

/** What happens to merges, written in the transaction of the happening and read by whoever follows. */
@Injectable()
export class MergeEvents extends EventLog<MergeState, MergeHappening> {
  constructor(database: DataSource) {
    super(database, {
      jobs: 'merges',
      events: 'merge_events',
      job: 'merge_id',
      life: { isTerminal, next, statesBefore },
    });
  }

  protected override async forgetToken(manager: EntityManager, mergeId: string): Promise<void> {
    await forgetToken(manager, mergeId);
  }

  /** How much of what merges wait for was fetched, where that has changed. */
  async tellFetched(): Promise<void> {
    const rows = await this.database.query<{ merge_id: string }[]>(
      `with sums as (
         select n.merge_id, sum(i.done_bytes) as done, sum(i.total_bytes) as total
         from merge_needs n join merges m on m.id = n.merge_id join imports i on i.id = n.import_id
         where m.state = 'fetching' group by n.merge_id),
       news as (
         select * from sums where done > coalesce((
           select (e.data ->> 'bytesDone')::bigint from merge_events e
           where e.merge_id = sums.merge_id and e.type = 'fetched' order by e.seq desc limit 1), 0)),
       told as (
         update merges m set event_seq = event_seq + 1 from news where m.id = news.merge_id and m.state = 'fetching'
         returning m.id, m.event_seq, news.done, news.total)
       insert into merge_events (merge_id, seq, type, data)
       select id, event_seq, 'fetched', jsonb_build_object('bytesDone', done, 'bytesTotal', total) from told
       returning merge_id`,
    );
    for (const { merge_id: mergeId } of rows) this.announce(mergeId);
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
}
