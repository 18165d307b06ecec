import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type JobClaim, JobLeases } from '../../platform/job-leases.js';
import { needStates } from './needs.js';

/** Whose plan is not settled, and for whom nothing is under way any more. */
const hasWork = `
  exists (select 1 from merges m where m.id = job.merge_id and m.plan is null and m.state in ('queued', 'planning', 'fetching'))
  and not exists (${needStates} where n.merge_id = job.merge_id
                  and coalesce(i.state, s.state) not in ('succeeded', 'failed', 'cancelled'))`;
const isWanted = `exists (
  select 1 from merges m where m.id = job.merge_id and m.cancel_requested_at is null
    and m.state in ('queued', 'planning', 'fetching'))`;
const order = '(select m.created_at from merges m where m.id = job.merge_id), job.merge_id';

/** Who prepares which merge. */
@Injectable()
export class PreparationLeases extends JobLeases {
  constructor(database: DataSource) {
    super(database, { table: 'merge_preparations', name: 'merge', key: 'merge_id', hasWork, isWanted, order });
  }

  /** Locks the merge, then its preparation: in the order of whoever ends merges. @throws JobLost */
  override async lock(manager: EntityManager, claim: JobClaim): Promise<void> {
    await manager.query('select 1 from merges where id = $1 for update', [claim.id]);
    await super.lock(manager, claim);
  }

  /** In the same order. */
  override async release(manager: EntityManager, claim: JobClaim, isFailure: boolean): Promise<number | undefined> {
    await manager.query('select 1 from merges where id = $1 for update', [claim.id]);
    return super.release(manager, claim, isFailure);
  }
}
