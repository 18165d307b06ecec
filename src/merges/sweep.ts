import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Logger } from '../platform/logger.js';
import { LOGGER } from '../platform/tokens.js';
import { Doorbell } from './doorbell.js';
import { lossLimit, workerLost } from './failure.js';
import { Finalizations } from './finalizations.js';
import { MergeEvents } from './merge-events.js';
import { failMerge, finishCancelled, finishShards } from './merge-steps.js';
import { ShardLeases } from './shard-leases.js';

/** Puts right what crashes and lost rings left: whatever happened, the rows say what is to be done. */
@Injectable()
export class Sweep {
  constructor(
    private readonly database: DataSource,
    private readonly leases: ShardLeases,
    private readonly finalizations: Finalizations,
    private readonly events: MergeEvents,
    private readonly doorbell: Doorbell,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async run(): Promise<void> {
    await this.#reclaim(false);
    await this.#finishCancelled();
    await this.#moveOn();
    await this.doorbell.ring();
  }

  /**
   * For the only process of a home, when it starts: nobody else can be alive, so what anybody owned is free at once.
   * @throws what the database throws
   */
  async takeOver(): Promise<void> {
    await this.#reclaim(true);
    await this.finalizations.releaseAll();
  }

  async #reclaim(everyOwner: boolean): Promise<void> {
    for (const mergeId of await this.leases.listExpired(everyOwner)) {
      await this.events.changing(mergeId, async (manager) => {
        await manager.query('select 1 from merges where id = $1 for update', [mergeId]);
        for (const { index, attempt, failures } of await this.leases.reclaim(manager, mergeId, everyOwner)) {
          this.logger.warn({ mergeId, shard: index, attempt, failures }, 'A worker was lost; its shard is free again');
          await this.events.append(manager, mergeId, 'shard', {
            index,
            state: 'pending',
            attempt,
            code: 'worker_lost',
          });
          if (failures >= lossLimit) await failMerge(manager, this.events, mergeId, workerLost);
        }
      });
    }
  }

  async #finishCancelled(): Promise<void> {
    const rows = await this.database.query<{ id: string }[]>(
      `select id from merges where cancel_requested_at is not null and state not in ('succeeded', 'failed', 'cancelled')`,
    );
    for (const { id } of rows) {
      await this.events.changing(id, async (manager) => {
        await manager.query('select 1 from merges where id = $1 for update', [id]);
        await finishCancelled(manager, this.events, id);
      });
    }
  }

  /** Merges whose shards are all done though nobody has moved them on: a retry that kept everything. */
  async #moveOn(): Promise<void> {
    const rows = await this.database.query<{ id: string }[]>(
      `select id from merges m where state in ('queued', 'running') and cancel_requested_at is null and plan is not null
         and not exists (select 1 from merge_shards s where s.merge_id = m.id and s.state <> 'done')`,
    );
    for (const { id } of rows) {
      await this.events.changing(id, async (manager) => {
        await manager.query('select 1 from merges where id = $1 for update', [id]);
        await finishShards(manager, this.events, id);
      });
    }
  }
}
