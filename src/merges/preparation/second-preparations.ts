import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../../errors.js';
import { type Commit, Effects } from '../../http/effects.js';
import { KeptTokens } from '../../hub/kept-tokens.js';
import { ImportsService } from '../../imports/imports.service.js';
import { MergeEvents } from '../merge-events.js';
import { findMerge } from '../merge-rows.js';
import type { Merge } from '../merges.schema.js';
import { listNeeds } from './needs.js';
import { PreparationLoop } from './preparation-loop.js';

export interface SecondTry {
  commit: Commit<Merge>;
  lock: (manager: EntityManager) => Promise<unknown>;
  retryStage: (id: string, commit: Commit<Merge>) => Promise<unknown>;
}

/** A second try at merges that ended before their plan was settled. */
@Injectable()
export class SecondPreparations {
  constructor(
    private readonly database: DataSource,
    private readonly imports: ImportsService,
    private readonly tokens: KeptTokens,
    private readonly effects: Effects,
    private readonly events: MergeEvents,
    private readonly loop: PreparationLoop,
  ) {}

  /**
   * Queues the merge again; what it waited for, and what did not come, is tried again first.
   * @param lock makes sure that the merge has ended @param retryStage a second try at the merge of a stage
   * @throws AppError secrets_unavailable
   */
  async retry(id: string, hubToken: string | undefined, { commit, lock, retryStage }: SecondTry): Promise<Merge> {
    await this.#retryNeeds(id, hubToken, (stage) => retryStage(stage, this.effects.plain()));
    const merge = await commit(async (manager) => {
      await lock(manager);
      await this.#begin(manager, id, hubToken);
      await this.events.move(manager, id, 'retry', {});
      const answer = await findMerge(manager, id);
      if (!answer) throw new Error(`merge ${id} is not there`);
      return answer;
    });
    this.events.announce(id);
    this.loop.wakeSoon();
    return merge;
  }

  async #retryNeeds(
    mergeId: string,
    hubToken: string | undefined,
    retryStage: (id: string) => Promise<unknown>,
  ): Promise<void> {
    for (const { state, import: importId, stage } of await listNeeds(this.database.manager, mergeId)) {
      if (state !== 'failed' && state !== 'cancelled') continue;
      const retry =
        importId === null ? retryStage(stage ?? '') : this.imports.retry(importId, hubToken, this.effects.plain());
      // Whoever was quicker has done it.
      await retry.catch((error: unknown) => {
        if (!(error instanceof AppError && /^(?:import|merge)_not_retryable$/.test(error.code))) throw error;
      });
    }
  }

  async #begin(manager: EntityManager, mergeId: string, hubToken: string | undefined): Promise<void> {
    await manager.query(
      `update merge_preparations set owner = null, lease_until = null, failures = 0, sealed_token = $2 where merge_id = $1`,
      [mergeId, this.tokens.seal(`merge ${mergeId}`, hubToken)],
    );
    // What was given up meanwhile is made again.
    await manager.query(
      `delete from merge_needs n using imports i, versions v
       where n.merge_id = $1 and i.id = n.import_id and v.id = i.version_id and v.weights_expired_at is not null`,
      [mergeId],
    );
    await manager.query(
      `delete from merge_needs n using merges s, versions v
       where n.merge_id = $1 and s.id = n.stage_id and v.id = s.version_id and v.weights_expired_at is not null`,
      [mergeId],
    );
    await manager.query('update merge_needs set released_at = null where merge_id = $1', [mergeId]);
    await manager.query(
      `update merges set failure = null, failures = 0, owner = null, lease_until = null, cancel_requested_at = null,
              freed_at = null where id = $1`,
      [mergeId],
    );
  }
}
