import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, type PageQuery, pageOf } from '../http/pagination.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { KeptTokens } from '../hub/kept-tokens.js';
import { canonicalRecipe, type Recipe } from '../recipe/index.js';
import { recordArrivals, skipArrivals } from './arrivals.js';
import { recipeDigest } from './checkpoint-recipe.js';
import { TriggerCheck } from './trigger-check.service.js';
import {
  getTrigger,
  lockTrigger,
  type RunRecord,
  runOf,
  selectRuns,
  selectTriggers,
  triggerOf,
  type TriggerOptions,
  type TriggerRecord,
} from './trigger-rows.js';
import type { Trigger, TriggerRequest, TriggerRun, TriggersQuery } from './triggers.schema.js';

/** Triggers as they are; what they do is others' work. */
@Injectable()
export class TriggersService {
  constructor(
    private readonly database: DataSource,
    private readonly checks: TriggerCheck,
    private readonly tokens: HubTokens,
    private readonly kept: KeptTokens,
  ) {}

  /**
   * Versions that are there already are left to a back-fill.
   * @param hubToken for models of the Hub, and for the publications that the request may ask for
   * @throws RecipeError, EngineError; AppError trigger_exists, trigger_loop, checkpoint_slot_missing, hub_token_missing,
   *   those of references
   */
  async create(
    request: TriggerRequest,
    hubToken: string | undefined,
    createdBy: string,
    commit: Commit<Trigger>,
  ): Promise<Trigger> {
    if (request.output === request.watch) throw triggerLoop(`${request.output} is what it watches itself.`);
    const id = randomUUID();
    const [namespace = ''] = request.output.split('/');
    const sealedToken =
      request.publish === undefined
        ? this.kept.seal(`trigger ${id}`, hubToken)
        : await this.tokens.seal(`trigger ${id}`, hubToken, namespace);
    const recipe = await this.checks.check(request, hubToken ?? (await this.tokens.find(namespace)));
    return commit(async (manager) => {
      // Two triggers that would feed each other must not be made at the same moment.
      await manager.query('lock table triggers in share row exclusive mode');
      await requireNoLoop(manager, request);
      await insertTrigger(manager, { id, request, recipe, sealedToken, createdBy });
      await skipArrivals(manager, id);
      return triggerOf(await getTrigger(manager, id));
    });
  }

  /** @throws AppError trigger_not_found */
  async get(key: string): Promise<Trigger> {
    return triggerOf(await getTrigger(this.database.manager, key));
  }

  /** In the order of their names. */
  async list({ limit, cursor, watch }: TriggersQuery): Promise<Page<Trigger>> {
    const after = decodeCursor(cursor, z.tuple([z.string()]))?.[0] ?? null;
    const rows = await this.database.query<TriggerRecord[]>(
      `${selectTriggers} where ($1::text is null or t.name > $1)
         and ($2::text is null or t.watch_namespace || '/' || t.watch_name = $2)
       order by t.name limit $3`,
      [after, watch ?? null, limit + 1],
    );
    return pageOf(rows.map(triggerOf), limit, ({ name }) => [name]);
  }

  /** What became of each checkpoint, the newest first. @throws AppError trigger_not_found */
  async listRuns(key: string, { limit, cursor }: PageQuery): Promise<Page<TriggerRun>> {
    const { id } = await getTrigger(this.database.manager, key);
    const before = decodeCursor(cursor, z.tuple([z.int32()]))?.[0] ?? null;
    const rows = await this.database.query<RunRecord[]>(
      `${selectRuns} where r.trigger_id = $1 and ($2::int is null or r.version_number < $2)
       order by r.version_number desc limit $3`,
      [id, before, limit + 1],
    );
    const page = pageOf(rows, limit, (row) => [row.version_number]);
    return { ...page, items: page.items.map(runOf) };
  }

  /**
   * Disabling: what came until now is still written down, and waits; later versions are not. Enabling: what waits goes
   * on, and what came in between is left to a back-fill.
   * @throws AppError trigger_not_found
   */
  setEnabled(key: string, enabled: boolean, commit: Commit<Trigger>): Promise<Trigger> {
    return commit(async (manager) => {
      const { id, enabled: before } = await lockTrigger(manager, key);
      if (before !== enabled) {
        await (enabled ? skipArrivals : recordArrivals)(manager, id);
        await manager.query('update triggers set enabled = $2 where id = $1', [id, enabled]);
      }
      return triggerOf(await getTrigger(manager, id));
    });
  }

  /** Merges that it has started go on. @throws AppError trigger_not_found */
  async delete(key: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const { id } = await lockTrigger(manager, key);
      await manager.query('delete from triggers where id = $1', [id]);
    });
  }
}

interface NewTrigger {
  id: string;
  request: TriggerRequest;
  recipe: Recipe;
  sealedToken: string | null;
  createdBy: string;
}

async function insertTrigger(
  manager: EntityManager,
  { id, request, recipe, sealedToken, createdBy }: NewTrigger,
): Promise<void> {
  const { name, watch, output, enabled, retention, recipe: _text, ...rest } = request;
  const options: TriggerOptions = rest;
  const rows = await manager.query<unknown[]>(
    `insert into triggers (id, name, watch_namespace, watch_name, recipe, recipe_digest, options, output, keep_last, enabled,
                           seen_version, created_by, sealed_token)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12) on conflict (name) do nothing returning id`,
    [
      ...[id, name, ...watch.split('/'), JSON.stringify(canonicalRecipe(recipe)), recipeDigest(recipe)],
      ...[JSON.stringify(options), output, retention?.keepLast ?? null, enabled, createdBy, sealedToken],
    ],
  );
  if (rows.length > 0) return;
  throw new AppError('trigger_exists', `There is a trigger ${name}; use another name, or delete that one.`, {
    pointer: '/name',
  });
}

/** Follows what is made of the output: when it leads back to the watched model, every merge would start the next. */
async function requireNoLoop(manager: EntityManager, { watch, output }: TriggerRequest): Promise<void> {
  const rows = await manager.query<{ name: string }[]>(
    `with recursive fed (model, name) as (
       select output, name from triggers where watch_namespace || '/' || watch_name = $1
       union select t.output, t.name from triggers t join fed f on t.watch_namespace || '/' || t.watch_name = f.model)
     select name from fed where model = $2 limit 1`,
    [output, watch],
  );
  const [back] = rows;
  if (back) throw triggerLoop(`The trigger ${back.name} makes versions of ${watch} out of ${output}.`);
}

function triggerLoop(detail: string): AppError {
  return new AppError('trigger_loop', `${detail} Every merge would start another one.`, { pointer: '/output' });
}
