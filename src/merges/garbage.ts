import { rm } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { BlobsService } from '../models/blobs.service.js';
import { CONFIG, OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { updated } from './shard-leases.js';
import { mergePrefix, scratchDirectory } from './shard-runner.js';

/**
 * How long what an ended merge stored stays, for a retry that need not do it again. After a success only leftovers of
 * lost attempts are there, and their owners must have had the time to notice that they are lost. When the disk is full
 * the space is what is wanted.
 */
const keptSeconds = `case
  when failure ->> 'code' = 'storage_full' then 0
  when state = 'failed' then 86400
  when state = 'cancelled' then 600
  else 60 end`;
const mergesAtOnce = 20;

/** Deletes what merges stored and no version refers to. */
@Injectable()
export class Garbage {
  constructor(
    private readonly database: DataSource,
    private readonly blobs: BlobsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async collect(): Promise<void> {
    for (const ended of await this.#forget()) {
      for await (const { key } of this.store.list(mergePrefix(ended.id))) {
        if (isOfEnded(key, ended) && !(await this.blobs.isBlob(key))) await this.store.delete(key);
      }
      // Only now, so that a crash before leads to another look; not when a retry has come and gone meanwhile.
      await this.database.query('update merges set freed_at = now() where id = $1 and finished_at = $2', [
        ended.id,
        ended.finished_at,
      ]);
    }
  }

  /** Of a dead process of this machine; only when no other one can be using the directory. */
  async clearScratch(): Promise<void> {
    await rm(scratchDirectory(this.config), { recursive: true, force: true });
  }

  /** The rows first, in one statement: from then on no retry counts on the objects. */
  async #forget(): Promise<EndedMerge[]> {
    return updated<EndedMerge>(
      this.database.manager,
      `with ended as (
         select id, state from merges
         where state in ('succeeded', 'failed', 'cancelled') and freed_at is null
           and finished_at < now() - (${keptSeconds}) * interval '1 second'
         limit ${mergesAtOnce} for update skip locked),
       forgotten as (
         update merge_shards s
         set state = 'pending', sha256 = null, bytes = null, object_key = null, done_bytes = 0, owner = null, lease_until = null
         from ended where s.merge_id = ended.id and ended.state <> 'succeeded')
       update merges m set owner = null from ended where m.id = ended.id
       returning m.id, m.finished_at, m.attempt,
         (select coalesce(jsonb_object_agg(s.index, s.attempt), '{}') from merge_shards s where s.merge_id = m.id) as attempts`,
      [],
    );
  }
}

interface EndedMerge {
  id: string;
  finished_at: Date;
  attempt: number;
  /** Last attempt of each shard, by its index. */
  attempts: Record<string, number>;
}

/** Whether an object was stored before the merge ended: what a retry stores meanwhile has higher attempts, and stays. */
export function isOfEnded(
  key: string,
  { id, attempt, attempts }: Pick<EndedMerge, 'id' | 'attempt' | 'attempts'>,
): boolean {
  const name = key.slice(mergePrefix(id).length);
  const [, shard, shardAttempt] = /^shard-(\d+)-(\d+)$/.exec(name) ?? [];
  if (shard !== undefined) return Number(shardAttempt) <= (attempts[shard] ?? Infinity);
  const [, finalAttempt] = /^final-(\d+)\//.exec(name) ?? [];
  return finalAttempt !== undefined && Number(finalAttempt) <= attempt;
}
