import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, pageOf } from '../http/pagination.js';
import { ImportEvents } from './import-events.js';
import { ImportLoop } from './import-loop.js';
import { ImportSources } from './import-sources.js';
import { findImport, importOf, type ImportRecord, selectImports } from './import-rows.js';
import { type ImportState, isTerminal, next } from './import-state.js';
import { KeptTokens } from '../hub/kept-tokens.js';
import type { Import, ImportRequest, ImportsQuery } from './imports.schema.js';

/** Takes imports in, shows them, ends them, and gives them a second life. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly database: DataSource,
    private readonly events: ImportEvents,
    private readonly tokens: KeptTokens,
    private readonly loop: ImportLoop,
    private readonly sources: ImportSources,
  ) {}

  /**
   * Writes an import down; the same one that is under way is answered instead of a second.
   * @throws AppError secrets_unavailable, s3_source_not_allowed
   */
  async submit(
    request: ImportRequest,
    token: string | undefined,
    createdBy: string,
    commit: Commit<Import>,
  ): Promise<Import> {
    const answer = await commit(async (manager) => {
      const { id } = await this.begin(manager, request, token, createdBy);
      return this.get(id, manager);
    });
    this.events.announce(answer.id);
    this.loop.wakeSoon();
    return answer;
  }

  /**
   * The same in the caller's transaction, for what waits for the import.
   * @param tokenNamespace whose token is used without `token`; by default that of the model that it is imported to
   * @returns which import it is, and whether it is a new one
   * @throws AppError secrets_unavailable, s3_source_not_allowed
   */
  async begin(
    manager: EntityManager,
    { source, model, alias, mode = 'copy' }: ImportRequest,
    token: string | undefined,
    createdBy: string,
    tokenNamespace?: string,
  ): Promise<{ id: string; isNew: boolean }> {
    const [namespace = '', name = ''] = model.split('/');
    this.sources.requireAllowed(source, namespace);
    const [twin] = await manager.query<{ id: string }[]>(
      `select id from imports where source = $1 and namespace = $2 and name = $3 and alias is not distinct from $4
         and mode = $5 and state not in ('succeeded', 'failed', 'cancelled') and cancel_requested_at is null
       order by created_at limit 1`,
      [source, namespace, name, alias ?? null, mode],
    );
    if (twin) return { id: twin.id, isNew: false };
    const id = randomUUID();
    const sealed = this.tokens.seal(`import ${id}`, token);
    await manager.query(
      `insert into imports (id, source, namespace, name, alias, mode, sealed_token, created_by, token_namespace, event_seq)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)`,
      [id, source, namespace, name, alias ?? null, mode, sealed, createdBy, tokenNamespace ?? null],
    );
    await manager.query(`insert into import_events (import_id, seq, type, data) values ($1, 1, 'queued', '{}')`, [id]);
    return { id, isNew: true };
  }

  /** @throws AppError import_not_found */
  async get(id: string, manager: EntityManager = this.database.manager): Promise<Import> {
    const found = await findImport(manager, id);
    if (!found) throw new AppError('import_not_found', `There is no import ${id}.`);
    return found;
  }

  /** Newest first. */
  async list({ limit, cursor, state }: ImportsQuery): Promise<Page<Import>> {
    const before = decodeCursor(cursor, z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()]));
    const rows = await this.database.query<(ImportRecord & { position: string })[]>(
      `${selectImports.replace('select ', `select to_char(i.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position, `)}
       where ($1::text is null or i.state = $1) and ($2::timestamptz is null or (i.created_at, i.id) < ($2, $3::uuid))
       order by i.created_at desc, i.id desc limit $4`,
      [state ?? null, before?.[0] ?? null, before?.[1] ?? null, limit + 1],
    );
    const page = pageOf(rows, limit, ({ position, id }) => [position, id]);
    return { ...page, items: page.items.map(importOf) };
  }

  /**
   * Asks for the end of an import; from here on it makes no version.
   * @throws AppError import_not_found, import_finished
   */
  async cancel(id: string, commit: Commit<Import>): Promise<Import> {
    const answer = await commit(async (manager) => {
      const state = await this.#lock(manager, id);
      if (state !== 'cancelled') {
        if (isTerminal(state)) throw new AppError('import_finished', `The import has ${state}.`);
        await this.events.askToCancel(manager, id);
      }
      return this.get(id, manager);
    });
    // Wakes the heartbeat of whoever works on it in this process; others see it at their next one.
    this.events.announce(id);
    return answer;
  }

  /**
   * Queues a failed or cancelled import again, for the same commit once that is known.
   * @param token in place of the one that was forgotten when the import ended
   * @throws AppError import_not_found, import_not_retryable, secrets_unavailable
   */
  async retry(id: string, token: string | undefined, commit: Commit<Import>): Promise<Import> {
    const answer = await commit(async (manager) => {
      const state = await this.#lock(manager, id);
      if (next(state, 'retry') === undefined) {
        throw new AppError('import_not_retryable', `The import is ${state}.`);
      }
      await this.events.move(manager, id, 'retry');
      await manager.query(
        `update imports set failure = null, failures = 0, owner = null, lease_until = null, cancel_requested_at = null,
                sealed_token = $2 where id = $1`,
        [id, this.tokens.seal(`import ${id}`, token)],
      );
      return this.get(id, manager);
    });
    this.events.announce(id);
    this.loop.wakeSoon();
    return answer;
  }

  async #lock(manager: EntityManager, id: string): Promise<ImportState> {
    const [row] = await manager.query<{ state: ImportState }[]>('select state from imports where id = $1 for update', [
      id,
    ]);
    if (!row) throw new AppError('import_not_found', `There is no import ${id}.`);
    return row.state;
  }
}
