import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, pageOf } from '../http/pagination.js';
import { MergeEvents } from './merge-events.js';
import { findMerge, mergeOf, type MergeRecord, selectMerges } from './merge-rows.js';
import { isTerminal } from './merge-state.js';
import { finishCancelled } from './merge-steps.js';
import type { Merge, MergesQuery } from './merges.schema.js';

/** Merges as they are, and an end to them. */
@Injectable()
export class MergesService {
  constructor(
    private readonly database: DataSource,
    private readonly events: MergeEvents,
  ) {}

  /** @throws AppError merge_not_found */
  async get(id: string): Promise<Merge> {
    const merge = await findMerge(this.database.manager, id);
    if (!merge) throw mergeNotFound(id);
    return merge;
  }

  /** Newest first. */
  async list({ limit, cursor, state, output, label }: MergesQuery): Promise<Page<Merge>> {
    const before = decodeCursor(cursor, z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()]));
    const [labelName, labelValue] = label === undefined ? [null, null] : splitLabel(label);
    const rows = await this.database.query<(MergeRecord & { position: string })[]>(
      `${selectMerges.replace('select ', `select to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position, `)}
       where ($1::text is null or m.state = $1)
         and ($2::text is null or m.output_namespace || '/' || m.output_name = $2)
         and ($3::text is null or m.labels ->> $3 = $4)
         and ($5::timestamptz is null or (m.created_at, m.id) < ($5, $6::uuid))
       order by m.created_at desc, m.id desc limit $7`,
      [state ?? null, output ?? null, labelName, labelValue, before?.[0] ?? null, before?.[1] ?? null, limit + 1],
    );
    const page = pageOf(rows, limit, ({ position, id }) => [position, id]);
    return { ...page, items: page.items.map(mergeOf) };
  }

  /**
   * Asks for the end of a merge. Nobody working on it, it is cancelled at once; else as soon as they have let go. From
   * here on it cannot succeed any more.
   * @throws AppError merge_not_found, merge_finished
   */
  async cancel(id: string, commit: Commit<Merge>): Promise<Merge> {
    const merge = await commit(async (manager) => {
      const [row] = await manager.query<{ state: Merge['state']; requested: boolean }[]>(
        'select state, cancel_requested_at is not null as requested from merges where id = $1 for update',
        [id],
      );
      if (!row) throw mergeNotFound(id);
      if (isTerminal(row.state) && row.state !== 'cancelled') {
        throw new AppError('merge_finished', `The merge has ${row.state}; there is nothing left to cancel.`);
      }
      if (row.state !== 'cancelled' && !row.requested) {
        await manager.query('update merges set cancel_requested_at = now() where id = $1', [id]);
        await this.events.append(manager, id, 'cancel-requested', {});
        await finishCancelled(manager, this.events, id);
      }
      const answer = await findMerge(manager, id);
      if (!answer) throw mergeNotFound(id);
      return answer;
    });
    // Wakes the heartbeat of whoever works on it in this process; others see it at their next one.
    this.events.announce(id);
    return merge;
  }
}

export function mergeNotFound(id: string): AppError {
  return new AppError('merge_not_found', `There is no merge ${id}.`);
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf('=');
  return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
}
