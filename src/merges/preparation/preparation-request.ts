import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { MergeRequest } from '../merges.schema.js';
import type { PlanningRequest } from '../planning.service.js';

/** What is kept of a request for a merge that is planned later. */
export interface PreparationRequest extends PlanningRequest {
  keepStages: boolean;
}

/** A merge that cannot be planned before its inputs were fetched or merged. */
export interface NewPreparation {
  namespace: string;
  name: string;
  alias?: string | undefined;
  device: MergeRequest['device'];
  labels: Record<string, string>;
  createdBy: string;
  /** As it was understood. */
  recipe: Record<string, unknown>;
  shardBytes: number;
  request: PreparationRequest;
  sealedToken: string | null;
}

export function preparationRequest(
  { recipe, lenient, seed, shardBytes, report, allowNan, keepStages }: MergeRequest,
  pointer: string,
): PreparationRequest {
  return { recipe, pointer, lenient, seed, shardBytes, report, allowNan, keepStages };
}

/** Writes a merge down, queued, with what is needed to plan it. */
export async function insertPreparation(manager: EntityManager, id: string, merge: NewPreparation): Promise<void> {
  const { namespace, name, alias, device, labels, createdBy, recipe, shardBytes, request, sealedToken } = merge;
  await manager.query(
    `insert into merges (id, state, output_namespace, output_name, output_alias, recipe, shard_bytes, labels, device, created_by)
     values ($1, 'queued', $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      ...[id, namespace, name, alias ?? null, JSON.stringify(recipe), shardBytes],
      ...[JSON.stringify(labels), device, createdBy],
    ],
  );
  await manager.query(
    'insert into merge_preparations (merge_id, request, request_digest, sealed_token) values ($1, $2, $3, $4)',
    [id, JSON.stringify(request), requestDigest(merge), sealedToken],
  );
}

/** A merge that was asked for in the same words, for the same name and alias, and is not planned yet. */
export async function findPreparingTwin(manager: EntityManager, merge: NewPreparation): Promise<string | undefined> {
  const { namespace, name, alias } = merge;
  const [twin] = await manager.query<{ id: string }[]>(
    `select m.id from merge_preparations p join merges m on m.id = p.merge_id
     where p.request_digest = $1 and m.output_namespace = $2 and m.output_name = $3
       and m.output_alias is not distinct from $4 and m.cancel_requested_at is null
       and m.state in ('queued', 'planning', 'fetching') order by m.created_at limit 1`,
    [requestDigest(merge), namespace, name, alias ?? null],
  );
  return twin?.id;
}

/** Of a merge that has ended, or needs nothing from elsewhere any more. */
export async function forgetToken(manager: EntityManager, id: string): Promise<void> {
  await manager.query('update merge_preparations set sealed_token = null where merge_id = $1', [id]);
}

function requestDigest({ recipe, request, shardBytes }: NewPreparation): string {
  const { lenient, seed = null, report, allowNan, keepStages } = request;
  const asked = JSON.stringify([recipe, lenient, seed, shardBytes, report, allowNan, keepStages]);
  return createHash('sha256').update(asked).digest('hex');
}
