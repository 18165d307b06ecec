import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { MergeFailure } from '../merges/merges.schema.js';
import type { TriggerOptions } from './trigger-rows.js';

/** A checkpoint whose turn it is. */
export interface ClaimedRun {
  triggerId: string;
  checkpointDigest: string;
  /** `team/checkpoints@3` */
  checkpoint: string;
  attempts: number;
  trigger: string;
  recipe: unknown;
  options: TriggerOptions;
  output: string;
  createdBy: string;
  /** For its publications. */
  sealedToken: string | null;
  /** Whether a newer checkpoint has gone ahead of this one: a back-fill. */
  isOvertaken: boolean;
}

interface ClaimedRecord {
  trigger_id: string;
  checkpoint_digest: string;
  checkpoint: string;
  attempts: number;
  name: string;
  recipe: unknown;
  options: TriggerOptions;
  output: string;
  created_by: string;
  sealed_token: string | null;
  overtaken: boolean;
}

/** Longer than a plan takes; whoever claimed a run and died costs this much. */
const claimSeconds = 60;

/**
 * One merge of a trigger at a time, in the order of the checkpoints: so the output's versions have their order, and its
 * alias never moves backwards.
 */
const isNext = `r.state = 'waiting' and r.next_attempt_at <= now() and t.enabled and not exists (
  select 1 from trigger_runs o left join merges m on m.id = o.merge_id
  where o.trigger_id = r.trigger_id
    and ((o.state = 'submitted' and m.state not in ('succeeded', 'failed', 'cancelled'))
      or (o.state = 'waiting' and o.version_number < r.version_number)))`;

const condition = `trigger_id = $1 and checkpoint_digest = $2 and state = 'waiting'`;

/** Who may submit the merge of a checkpoint, and what came of it. */
@Injectable()
export class RunQueue {
  constructor(private readonly database: DataSource) {}

  async claim(): Promise<ClaimedRun | undefined> {
    const [[row]] = await this.database.query<[ClaimedRecord[], number]>(
      `update trigger_runs r set attempts = r.attempts + 1, next_attempt_at = now() + interval '${claimSeconds} seconds'
       from triggers t, (
         select r.trigger_id, r.checkpoint_digest from trigger_runs r join triggers t on t.id = r.trigger_id
         where ${isNext} order by r.created_at, r.version_number limit 1 for update of r skip locked) c
       where r.trigger_id = c.trigger_id and r.checkpoint_digest = c.checkpoint_digest and t.id = r.trigger_id
       returning r.trigger_id, r.checkpoint_digest, r.attempts, t.name, t.recipe, t.options, t.output, t.created_by,
         t.sealed_token,
         t.watch_namespace || '/' || t.watch_name || '@' || r.version_number as checkpoint,
         exists (select 1 from trigger_runs o where o.trigger_id = r.trigger_id and o.state = 'submitted'
                 and o.version_number > r.version_number) as overtaken`,
    );
    if (!row) return undefined;
    const { checkpoint, attempts, name: trigger, recipe, options, output } = row;
    return {
      ...{ triggerId: row.trigger_id, checkpointDigest: row.checkpoint_digest, checkpoint, attempts },
      ...{ trigger, recipe, options, output, createdBy: row.created_by, isOvertaken: row.overtaken },
      sealedToken: row.sealed_token,
    };
  }

  /** Whether the run is still to be submitted; locks it. Inside the transaction that makes the merge. */
  async lock(manager: EntityManager, { triggerId, checkpointDigest }: ClaimedRun): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `select 1 from trigger_runs where ${condition}
         and exists (select 1 from triggers t where t.id = $1 and t.enabled) for update`,
      [triggerId, checkpointDigest],
    );
    return rows.length > 0;
  }

  async submitted(
    manager: EntityManager,
    { triggerId, checkpointDigest }: ClaimedRun,
    mergeId: string,
    isOwn: boolean,
  ): Promise<void> {
    await manager.query(
      `update trigger_runs set state = 'submitted', merge_id = $3, is_own_merge = $4, failure = null where ${condition}`,
      [triggerId, checkpointDigest, mergeId, isOwn],
    );
  }

  async refused({ triggerId, checkpointDigest }: ClaimedRun, failure: MergeFailure): Promise<void> {
    await this.database.query(`update trigger_runs set state = 'refused', failure = $3 where ${condition}`, [
      triggerId,
      checkpointDigest,
      JSON.stringify(failure),
    ]);
  }

  /** Comes back to the run later. @param failure why it waits */
  async postpone(
    { triggerId, checkpointDigest }: ClaimedRun,
    seconds: number,
    failure: MergeFailure | undefined,
  ): Promise<void> {
    await this.database.query(
      `update trigger_runs set next_attempt_at = now() + $3::int * interval '1 second', failure = $4 where ${condition}`,
      [triggerId, checkpointDigest, seconds, failure === undefined ? null : JSON.stringify(failure)],
    );
  }

  /** For the only process of a home, when it starts: whoever had claimed a run is dead. */
  async takeOver(): Promise<void> {
    await this.database.query(`update trigger_runs set next_attempt_at = now() where state = 'waiting'`);
  }
}
