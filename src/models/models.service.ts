import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { decodeCursor, type Page, pageOf } from '../http/pagination.js';
import type { CreateModel, Model, ModelPath, ModelsQuery } from './models.schema.js';

interface ModelRecord {
  namespace: string;
  name: string;
  description: string;
  created_at: Date;
  aliases: Record<string, number>;
  latest: number | null;
}

const selectModels = `
  select m.namespace, m.name, m.description, m.created_at,
         (select max(v.version) from versions v where v.model_id = m.id) as latest,
         (select coalesce(jsonb_object_agg(a.alias, v.version), '{}')
            from aliases a join versions v on v.id = a.version_id where a.model_id = m.id) as aliases
  from models m`;

/** Names under which versions are kept. */
@Injectable()
export class ModelsService {
  constructor(private readonly database: DataSource) {}

  /** @throws AppError model_exists */
  create(input: CreateModel, commit: Commit<Model>): Promise<Model> {
    return commit(async (manager) => {
      const created = await this.ensure(manager, input);
      if (!created) {
        throw new AppError('model_exists', `The model ${input.namespace}/${input.name} exists.`, { pointer: '/name' });
      }
      return this.#get(manager, input);
    });
  }

  /** Makes the model when it does not exist; true when it did not. Inside the caller's transaction. */
  async ensure(
    manager: EntityManager,
    { namespace, name, description = '' }: ModelPath & { description?: string },
  ): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `insert into models (id, namespace, name, description) values ($1, $2, $3, $4)
       on conflict (namespace, name) do nothing returning id`,
      [randomUUID(), namespace, name, description],
    );
    return rows.length > 0;
  }

  /** @throws AppError model_not_found */
  get(path: ModelPath): Promise<Model> {
    return this.#get(this.database.manager, path);
  }

  /** In the order of their names. */
  async list({ limit, cursor, search, namespace }: ModelsQuery): Promise<Page<Model>> {
    const after = decodeCursor(cursor, z.tuple([z.string(), z.string()]));
    const rows = await this.database.query<ModelRecord[]>(
      `${selectModels}
       where ($1::text is null or m.namespace = $1)
         and ($2::text is null or strpos(lower(m.namespace || '/' || m.name || ' ' || m.description), lower($2)) > 0)
         and ($3::text is null or (m.namespace, m.name) > ($3, $4))
       order by m.namespace, m.name limit $5`,
      [namespace ?? null, search ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    );
    return pageOf(rows.map(modelOf), limit, (model) => [model.namespace, model.name]);
  }

  /** @throws AppError model_not_found */
  async getId(manager: EntityManager, { namespace, name }: ModelPath): Promise<string> {
    const [row] = await manager.query<{ id: string }[]>('select id from models where namespace = $1 and name = $2', [
      namespace,
      name,
    ]);
    if (!row) throw modelNotFound({ namespace, name });
    return row.id;
  }

  async #get(manager: EntityManager, path: ModelPath): Promise<Model> {
    const [row] = await manager.query<ModelRecord[]>(`${selectModels} where m.namespace = $1 and m.name = $2`, [
      path.namespace,
      path.name,
    ]);
    if (!row) throw modelNotFound(path);
    return modelOf(row);
  }
}

export function modelNotFound({ namespace, name }: ModelPath): AppError {
  return new AppError('model_not_found', `There is no model ${namespace}/${name}.`);
}

function modelOf(row: ModelRecord): Model {
  return {
    namespace: row.namespace,
    name: row.name,
    description: row.description,
    createdAt: row.created_at.toISOString(),
    latestVersion: row.latest,
    aliases: row.aliases,
  };
}
