import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { decodeCursor, type Page, type PageQuery, pageOf } from '../http/pagination.js';
import type { HubToken } from './hub-tokens.schema.js';
import { KeptTokens, type TokenHolder } from './kept-tokens.js';

/** What may have brought a token of its own, and belongs to a namespace that may have one too. */
export interface Holding {
  holder: TokenHolder;
  /** The token that came with the request, sealed for the holder. */
  sealedToken: string | null;
  namespace: string;
}

const columns = 'namespace, set_by as "setBy", set_at as "setAt"';

/** Tokens of the Hub, one for each namespace of the registry that has one, for what came without a token. */
@Injectable()
export class HubTokens {
  constructor(
    private readonly database: DataSource,
    private readonly kept: KeptTokens,
  ) {}

  /** The token of a namespace as it is now. @throws AppError hub_token_missing when this process cannot read it */
  async find(namespace: string, manager: EntityManager = this.database.manager): Promise<string | undefined> {
    const [row] = await manager.query<{ sealed_token: string }[]>(
      'select sealed_token from hub_tokens where namespace = $1',
      [namespace],
    );
    return this.kept.open(`namespace ${namespace}`, row?.sealed_token ?? null);
  }

  /**
   * The token to speak to the Hub with: the one that came with the request, else the namespace's as it is now. Asked for
   * by each attempt anew, so that a token that is changed or deleted counts from the next attempt on.
   * @throws AppError hub_token_missing when there is one that this process cannot read
   */
  async resolve({ holder, sealedToken, namespace }: Holding): Promise<string | undefined> {
    return this.kept.open(holder, sealedToken) ?? this.find(namespace);
  }

  /**
   * Seals the token that came with a request for something that cannot be done without one.
   * @returns null when none came, and the namespace has one
   * @throws AppError hub_token_missing, secrets_unavailable
   */
  async seal(
    holder: TokenHolder,
    token: string | undefined,
    namespace: string,
    manager: EntityManager = this.database.manager,
  ): Promise<string | null> {
    if (token === undefined) requireToken(await this.find(namespace, manager));
    return this.kept.seal(holder, token);
  }

  /** Sets or replaces the token of a namespace. @throws AppError secrets_unavailable */
  async put(namespace: string, token: string, setBy: string): Promise<{ token: HubToken; created: boolean }> {
    const rows = await this.database.query<(HubToken & { created: boolean })[]>(
      `insert into hub_tokens (namespace, sealed_token, set_by) values ($1, $2, $3)
       on conflict (namespace) do update set sealed_token = excluded.sealed_token, set_by = excluded.set_by, set_at = now()
       returning ${columns}, xmax = 0 as created`,
      [namespace, this.kept.seal(`namespace ${namespace}`, token), setBy],
    );
    const [row] = rows;
    if (!row) throw new Error(`the token of ${namespace} was not written`);
    const { created, ...shown } = row;
    return { token: shown, created };
  }

  /** Who set which and when, in the order of the namespaces; never the tokens. */
  async list({ limit, cursor }: PageQuery): Promise<Page<HubToken>> {
    const after = decodeCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const rows = await this.database.query<HubToken[]>(
      `select ${columns} from hub_tokens where ($1::text is null or namespace > $1) order by namespace limit $2`,
      [after, limit + 1],
    );
    return pageOf(rows, limit, ({ namespace }) => [namespace]);
  }

  /** @throws AppError hub_token_not_found */
  async delete(namespace: string): Promise<void> {
    const [rows] = await this.database.query<[unknown[], number]>(
      'delete from hub_tokens where namespace = $1 returning namespace',
      [namespace],
    );
    if (rows.length === 0) throw new AppError('hub_token_not_found', `${namespace} has no token of the Hub.`);
  }
}

/** For what nobody may do without a token. @throws AppError hub_token_missing */
export function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  const detail =
    'Publishing needs a token of the Hub that may write: send it as Hub-Token, or set one for the namespace.';
  throw new AppError('hub_token_missing', detail, { pointer: 'Hub-Token' });
}
