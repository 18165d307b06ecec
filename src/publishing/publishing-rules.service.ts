import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, type PageQuery, pageOf } from '../http/pagination.js';
import { RegistryWatchers, type PointedAlias } from '../models/registry-watchers.js';
import { findTwinPublication, insertPublication } from './new-publication.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { KeptTokens } from '../hub/kept-tokens.js';
import type { NewPublishingRule, PublicationOptions, PublishingRule } from './publications.schema.js';
import { placeOf } from './submitting.service.js';

interface RuleRecord {
  id: string;
  namespace: string;
  name: string;
  alias: string;
  repository: string;
  revision: string;
  options: PublicationOptions;
  sealed_token: string | null;
  created_by: string;
  created_at: Date;
}

/** "When a version of this model gets this alias, publish it there." */
@Injectable()
export class PublishingRulesService implements OnModuleInit {
  constructor(
    private readonly database: DataSource,
    private readonly watchers: RegistryWatchers,
    private readonly tokens: HubTokens,
    private readonly kept: KeptTokens,
  ) {}

  onModuleInit(): void {
    this.watchers.watchAliases((manager, pointed) => this.#follow(manager, pointed));
  }

  /** @throws AppError publishing_rule_exists, hub_token_missing, secrets_unavailable */
  async create(
    rule: NewPublishingRule,
    token: string | undefined,
    createdBy: string,
    commit: Commit<PublishingRule>,
  ): Promise<PublishingRule> {
    const id = randomUUID();
    const [namespace = '', name = ''] = rule.model.split('/');
    const { repository, revision, options } = placeOf(rule);
    const sealed = await this.tokens.seal(`rule ${id}`, token, namespace);
    return commit(async (manager) => {
      const rows = await manager.query<unknown[]>(
        `insert into publishing_rules (id, namespace, name, alias, repository, revision, options, sealed_token, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning id`,
        [...[id, namespace, name, rule.alias, repository, revision], ...[JSON.stringify(options), sealed, createdBy]],
      );
      if (rows.length === 0) {
        const detail = `${rule.alias} of ${rule.model} is published to ${rule.repository} already.`;
        throw new AppError('publishing_rule_exists', detail);
      }
      return this.get(id, manager);
    });
  }

  /** @throws AppError publishing_rule_not_found */
  async get(id: string, manager: EntityManager = this.database.manager): Promise<PublishingRule> {
    const [row] = await manager.query<RuleRecord[]>('select * from publishing_rules where id = $1', [id]);
    if (!row) throw notFound(id);
    return ruleOf(row);
  }

  /** Newest first. */
  async list({ limit, cursor }: PageQuery): Promise<Page<PublishingRule>> {
    const before = decodeCursor(cursor, z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()]));
    const rows = await this.database.query<(RuleRecord & { position: string })[]>(
      `select *, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
       from publishing_rules where ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid))
       order by created_at desc, id desc limit $3`,
      [before?.[0] ?? null, before?.[1] ?? null, limit + 1],
    );
    const page = pageOf(rows, limit, ({ position, id }) => [position, id]);
    return { ...page, items: page.items.map(ruleOf) };
  }

  /** Publications that it has made go on. @throws AppError publishing_rule_not_found */
  async delete(id: string): Promise<void> {
    const [rows] = await this.database.query<[unknown[], number]>(
      'delete from publishing_rules where id = $1 returning id',
      [id],
    );
    if (rows.length === 0) throw notFound(id);
  }

  /** The same version to the same place, while that is under way, is the same publication. */
  async #follow(manager: EntityManager, { namespace, name, alias, versionId }: PointedAlias): Promise<void> {
    const rules = await manager.query<(RuleRecord & { version: number })[]>(
      `select r.*, v.version from publishing_rules r, versions v
       where r.namespace = $1 and r.name = $2 and r.alias = $3 and v.id = $4 order by r.created_at, r.id`,
      [namespace, name, alias, versionId],
    );
    for (const rule of rules) {
      const { id: ruleId, repository, revision, created_by: createdBy } = rule;
      const { tag, ...rest } = rule.options;
      const options = { ...rest, ...(tag !== undefined && { tag: tag.replaceAll('{version}', String(rule.version)) }) };
      const id = randomUUID();
      // Without one, or with one that cannot be read any more (the key has changed), the publication asks the namespace
      // for its token, and fails when that has none; the alias is moved in any case.
      const token = this.kept.find(`rule ${ruleId}`, rule.sealed_token);
      const sealedToken = this.kept.seal(`publication ${id}`, token);
      const publication = { id, versionId, ruleId, repository, revision, options, sealedToken, createdBy };
      if ((await findTwinPublication(manager, publication)) === undefined)
        await insertPublication(manager, publication);
    }
  }
}

function notFound(id: string): AppError {
  return new AppError('publishing_rule_not_found', `There is no publishing rule ${id}.`);
}

function ruleOf(row: RuleRecord): PublishingRule {
  const { id, namespace, name, alias, repository, revision, options } = row;
  return {
    ...{ id, model: `${namespace}/${name}`, alias, repository: `hf:${repository}`, revision },
    visibility: options.visibility ?? null,
    gated: options.gated ?? null,
    createPr: options.createPr,
    tag: options.tag ?? null,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  };
}
