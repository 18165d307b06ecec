import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, pageOf } from '../http/pagination.js';
import { parseReference } from '../models/names.js';
import { requireWeights } from '../models/weights-expiry.service.js';
import { PublicationEvents } from './publication-events.js';
import { PublicationLoop } from './publication-loop.js';
import { findPublication, publicationOf, type PublicationRecord, selectPublications } from './publication-rows.js';
import { isTerminal, next, type PublicationState } from './publication-state.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import type { Publication, PublicationsQuery } from './publications.schema.js';

/** Publications as they are, an end to them, and a second life. */
@Injectable()
export class PublicationsService {
  constructor(
    private readonly database: DataSource,
    private readonly events: PublicationEvents,
    private readonly tokens: HubTokens,
    private readonly loop: PublicationLoop,
  ) {}

  /** @throws AppError publication_not_found */
  async get(id: string, manager: EntityManager = this.database.manager): Promise<Publication> {
    const publication = await findPublication(manager, id);
    if (!publication) throw new AppError('publication_not_found', `There is no publication ${id}.`);
    return publication;
  }

  /** Newest first. */
  async list({ limit, cursor, state, repository, merge }: PublicationsQuery): Promise<Page<Publication>> {
    const before = decodeCursor(cursor, z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()]));
    const rows = await this.database.query<(PublicationRecord & { position: string })[]>(
      `${selectPublications.replace('select ', `select to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position, `)}
       where ($1::text is null or p.state = $1)
         and ($2::text is null or $2 in (p.repository, p.found ->> 'repository'))
         and ($3::uuid is null or p.merge_id = $3)
         and ($4::timestamptz is null or (p.created_at, p.id) < ($4, $5::uuid))
       order by p.created_at desc, p.id desc limit $6`,
      [
        ...[state ?? null, repository?.replace(/^hf:/, '') ?? null, merge ?? null],
        ...[before?.[0] ?? null, before?.[1] ?? null, limit + 1],
      ],
    );
    const page = pageOf(rows, limit, ({ position, id }) => [position, id]);
    return { ...page, items: page.items.map(publicationOf) };
  }

  /**
   * Asks for the end of a publication; from here on nothing of it is committed on the Hub.
   * @throws AppError publication_not_found, publication_not_cancellable
   */
  async cancel(id: string, commit: Commit<Publication>): Promise<Publication> {
    const publication = await commit(async (manager) => {
      const state = await this.#lock(manager, id);
      if (state !== 'cancelled') {
        if (next(state, 'cancel') === undefined) throw tooLate(state);
        await this.events.askToCancel(manager, id);
      }
      return this.get(id, manager);
    });
    // Wakes the heartbeat of whoever works on it in this process; others see it at their next one.
    this.events.announce(id);
    return publication;
  }

  /**
   * Queues a failed or cancelled publication again; what the Hub has is not sent again.
   * @param token in place of the one that was forgotten when the publication ended
   * @throws AppError publication_not_found, publication_not_retryable, hub_token_missing, secrets_unavailable
   */
  async retry(id: string, token: string | undefined, commit: Commit<Publication>): Promise<Publication> {
    const publication = await commit(async (manager) => {
      const state = await this.#lock(manager, id);
      const { version } = await this.get(id, manager);
      if (next(state, 'retry') === undefined || version === null) {
        const what = version === null ? 'has nothing to publish' : `is ${state}`;
        throw new AppError('publication_not_retryable', `The publication ${what}.`);
      }
      await manager.query(
        `update publications set failure = null, failures = 0, owner = null, lease_until = null,
                cancel_requested_at = null, sealed_token = $2 where id = $1`,
        [id, await this.tokens.seal(`publication ${id}`, token, parseReference(version).namespace, manager)],
      );
      await this.events.move(manager, id, 'retry');
      await requireWeightsOf(manager, id);
      return this.get(id, manager);
    });
    this.events.announce(id);
    this.loop.wakeSoon();
    return publication;
  }

  async #lock(manager: EntityManager, id: string): Promise<PublicationState> {
    const [row] = await manager.query<{ state: PublicationState }[]>(
      'select state from publications where id = $1 for update',
      [id],
    );
    if (!row) throw new AppError('publication_not_found', `There is no publication ${id}.`);
    return row.state;
  }
}

/** A failed publication holds nothing: meanwhile its version may have lost its weights. */
async function requireWeightsOf(manager: EntityManager, id: string): Promise<void> {
  const rows = await manager.query<{ version_id: string }[]>('select version_id from publications where id = $1', [id]);
  await requireWeights(
    manager,
    rows.map(({ version_id: versionId }) => versionId),
  );
}

function tooLate(state: PublicationState): AppError {
  const why = isTerminal(state) ? `The publication has ${state}.` : 'Its commit is being made on the Hub.';
  return new AppError('publication_not_cancellable', why);
}
