import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Database } from '../platform/database.js';
import { DATABASE } from '../platform/tokens.js';

/** What identifies a repeated request, and what tells a wrong repetition. */
export interface IdempotentRequest {
  principal: string;
  route: string;
  key: string;
  fingerprint: string;
}

/** The right to carry the request out; only its holder may store the answer. */
export interface Claim extends IdempotentRequest {
  token: string;
}

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** Longer than any POST of ours takes; a process that died leaves its key blocked for the rest of it. */
const claimSeconds = 60;
const keepHours = 24;
const sweepEveryMs = 3_600_000;

/** Keys of repeated POSTs: one row each, claimed before the work and answered in the transaction of the effect. */
@Injectable()
export class IdempotencyService implements OnApplicationBootstrap {
  #sweptAt = 0;

  constructor(
    private readonly database: DataSource,
    @Inject(DATABASE) private readonly home: Database,
  ) {}

  /** Whoever holds the embedded database is alone: what is in flight there died with the process before. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.home.embedded) await this.database.query('delete from idempotency_keys where status is null');
  }

  /**
   * Takes the key for this attempt, or finds the answer of an earlier one.
   * @throws AppError idempotency_key_reused, idempotency_in_flight
   */
  async claim(request: IdempotentRequest): Promise<Claim | StoredAnswer> {
    await this.#sweep();
    const { principal, route, key, fingerprint } = request;
    const token = randomUUID();
    const claimed = await this.database.query<unknown[]>(
      `insert into idempotency_keys as k (principal, route, key, fingerprint, token, claimed_until)
       values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
       on conflict (principal, route, key) do update
         set fingerprint = excluded.fingerprint, token = excluded.token, claimed_until = excluded.claimed_until,
             status = null, headers = null, body = null, created_at = now()
         where (k.status is null and k.claimed_until < now() and k.fingerprint = excluded.fingerprint)
            or k.created_at < now() - make_interval(hours => $7)
       returning 1`,
      [principal, route, key, fingerprint, token, claimSeconds, keepHours],
    );
    if (claimed.length > 0) return { ...request, token };
    return this.#findAnswer(request);
  }

  async #findAnswer(request: IdempotentRequest): Promise<StoredAnswer> {
    const [row] = await this.database.query<
      ({ fingerprint: string } & { [K in keyof StoredAnswer]: StoredAnswer[K] | null })[]
    >(
      'select fingerprint, status, headers, body from idempotency_keys where principal = $1 and route = $2 and key = $3',
      [request.principal, request.route, request.key],
    );
    if (row && row.fingerprint !== request.fingerprint) {
      throw new AppError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for another request; use a new one.',
        {
          pointer: 'Idempotency-Key',
        },
      );
    }
    if (!row || row.status === null) throw inFlight();
    return { status: row.status, headers: row.headers ?? {}, body: row.body };
  }

  /**
   * Stores the answer, inside the transaction of the effect when there is one.
   * @throws AppError idempotency_in_flight when another attempt has taken over: the effect must be rolled back
   */
  async answer(manager: EntityManager, claim: Claim, { status, headers, body }: StoredAnswer): Promise<void> {
    // With `returning`, because the driver's count of an update has no common shape across homes.
    const kept = await manager.query<[unknown[], number]>(
      `update idempotency_keys set status = $5, headers = $6, body = $7
       where principal = $1 and route = $2 and key = $3 and token = $4 and status is null returning 1`,
      [
        claim.principal,
        claim.route,
        claim.key,
        claim.token,
        status,
        JSON.stringify(headers),
        JSON.stringify(body ?? null),
      ],
    );
    if (kept[1] === 0) throw inFlight();
  }

  /** Gives the key back after a failure: nothing happened, so the same request may be tried again. */
  async release(claim: Claim): Promise<void> {
    await this.database.query(
      'delete from idempotency_keys where principal = $1 and route = $2 and key = $3 and token = $4 and status is null',
      [claim.principal, claim.route, claim.key, claim.token],
    );
  }

  async #sweep(): Promise<void> {
    if (Date.now() - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = Date.now();
    await this.database.query('delete from idempotency_keys where created_at < now() - make_interval(hours => $1)', [
      keepHours,
    ]);
  }
}

function inFlight(): AppError {
  return new AppError('idempotency_in_flight', 'The first request with this Idempotency-Key has not ended yet.', {
    pointer: 'Idempotency-Key',
    headers: { 'retry-after': '1' },
  });
}
