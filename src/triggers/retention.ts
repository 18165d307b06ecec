import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isInputOfRunningMerge } from '../merges/running-inputs.js';
import { isPublished } from '../publishing/published-versions.js';
import { WeightsExpiry } from '../models/weights-expiry.service.js';
import { isAwaitedCheckpoint } from './arrivals.js';

/** What needs a version's weights though its trigger would give them up; aliases do anyway. */
const holds = [isInputOfRunningMerge, isAwaitedCheckpoint, isPublished];

/** Frees the weights of all but the newest results of a trigger. */
@Injectable()
export class Retention {
  constructor(
    private readonly database: DataSource,
    private readonly weights: WeightsExpiry,
  ) {}

  async run(): Promise<void> {
    for (const id of await this.#listSuperfluous()) await this.weights.expire(id, holds);
    // Also what a crash left between an expiry and this.
    await this.weights.free();
  }

  /** Results of triggers that are not among the last; whether something needs them is decided one by one. */
  async #listSuperfluous(): Promise<string[]> {
    const rows = await this.database.query<{ id: string }[]>(
      `select id from (
         select v.id, v.weights_expired_at, t.keep_last,
                dense_rank() over (partition by t.id order by v.version desc) as place
         from triggers t join trigger_runs r on r.trigger_id = t.id and r.is_own_merge
           join merges m on m.id = r.merge_id and m.state = 'succeeded' join versions v on v.id = m.version_id
         where t.keep_last is not null) results
       where place > keep_last and weights_expired_at is null
         and not exists (select 1 from aliases a where a.version_id = results.id)`,
    );
    return rows.map(({ id }) => id);
  }
}
