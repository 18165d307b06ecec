import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Effects } from '../../http/effects.js';
import { ImportsService } from '../../imports/imports.service.js';
import { WeightsExpiry } from '../../models/weights-expiry.service.js';
import { isPublished } from '../../publishing/published-versions.js';
import { MergesService } from '../merges.service.js';
import { isInputOfRunningMerge } from '../running-inputs.js';

/** How long the results of stages stay after their merge: a failed or cancelled one may be tried again. */
const keptSeconds = `case m.state when 'failed' then 86400 when 'cancelled' then 600 else 0 end`;

interface EndedNeed {
  merge_id: string;
  reference: string;
  import_id: string | null;
  stage_id: string | null;
  /** Of the import or the stage. */
  state: string;
  /** Of the stage. */
  version_id: string | null;
  is_cancelled: boolean;
  is_over: boolean;
  is_shared: boolean;
}

const endStates = ['succeeded', 'failed', 'cancelled'];
/** What needs the weights of a stage though its merge does not any more; aliases do anyway. */
const holds = [isInputOfRunningMerge, isPublished];

/** Ends what was begun for merges that have ended themselves. */
@Injectable()
export class NeedReleases {
  constructor(
    private readonly database: DataSource,
    private readonly imports: ImportsService,
    private readonly merges: MergesService,
    private readonly weights: WeightsExpiry,
    private readonly effects: Effects,
  ) {}

  async run(): Promise<void> {
    let isExpired = false;
    for (const need of await this.#listEnded()) {
      if (!endStates.includes(need.state)) {
        // What goes on after a failure is there for another try.
        if (need.is_cancelled && !need.is_shared) await this.#cancel(need);
        continue;
      }
      if (need.version_id !== null) {
        if (!need.is_over) continue;
        if (await this.weights.expire(need.version_id, holds, { evenLatest: true })) isExpired = true;
        else if (await this.#hasWeights(need.version_id)) continue;
      }
      await this.database.query('update merge_needs set released_at = now() where merge_id = $1 and reference = $2', [
        need.merge_id,
        need.reference,
      ]);
    }
    if (isExpired) await this.weights.free();
  }

  /** Imported models stay: they are in the registry like any other. */
  async #listEnded(): Promise<EndedNeed[]> {
    return this.database.query<EndedNeed[]>(
      `select n.merge_id, n.reference, n.import_id, n.stage_id, coalesce(i.state, s.state) as state,
              case when n.keep then null else s.version_id end as version_id, m.state = 'cancelled' as is_cancelled,
              m.finished_at < now() - (${keptSeconds}) * interval '1 second' as is_over,
              exists (select 1 from merge_needs o join merges x on x.id = o.merge_id
                      where x.state not in ('succeeded', 'failed', 'cancelled')
                        and (o.import_id = n.import_id or o.stage_id = n.stage_id)) as is_shared
       from merge_needs n join merges m on m.id = n.merge_id left join imports i on i.id = n.import_id
         left join merges s on s.id = n.stage_id
       where n.is_own and n.released_at is null and m.state in ('succeeded', 'failed', 'cancelled')`,
    );
  }

  async #cancel({ import_id: importId, stage_id: stageId }: EndedNeed): Promise<void> {
    // One that has ended meanwhile is seen the next time.
    if (importId !== null) await this.imports.cancel(importId, this.effects.plain()).catch(() => undefined);
    if (stageId !== null) await this.merges.cancel(stageId, this.effects.plain()).catch(() => undefined);
  }

  async #hasWeights(versionId: string): Promise<boolean> {
    const rows = await this.database.query<unknown[]>(
      'select 1 from versions where id = $1 and weights_expired_at is null',
      [versionId],
    );
    return rows.length > 0;
  }
}
