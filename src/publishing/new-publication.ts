import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { requireWeights } from '../models/weights-expiry.service.js';
import type { PublicationOptions } from './publications.schema.js';

/** Everything that is written down about a publication before anybody is told that it will be carried out. */
export interface NewPublication {
  /** Made by the caller when a secret is sealed for it. */
  id?: string;
  /** Undefined: of what the merge will make. */
  versionId?: string | undefined;
  mergeId?: string | undefined;
  ruleId?: string | undefined;
  /** `org/name`. */
  repository: string;
  revision: string;
  options: PublicationOptions;
  sealedToken: string | null;
  createdBy: string;
}

/** @returns its id @throws AppError weights_expired */
export async function insertPublication(manager: EntityManager, publication: NewPublication): Promise<string> {
  const { id = randomUUID(), versionId, mergeId, ruleId, repository, revision, options, sealedToken } = publication;
  // From here on the publication holds them.
  if (versionId !== undefined) await requireWeights(manager, [versionId]);
  const state = versionId === undefined ? 'waiting' : 'queued';
  await manager.query(
    `insert into publications (id, state, version_id, merge_id, rule_id, repository, revision, options, sealed_token,
                               created_by, event_seq)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)`,
    [
      ...[id, state, versionId ?? null, mergeId ?? null, ruleId ?? null, repository, revision],
      ...[JSON.stringify(options), sealedToken, publication.createdBy],
    ],
  );
  await manager.query(`insert into publication_events (publication_id, seq, type, data) values ($1, 1, $2, '{}')`, [
    id,
    state,
  ]);
  return id;
}

/** A living publication of the same version, or of what the same merge makes, to the same place in the same way. */
export async function findTwinPublication(
  manager: EntityManager,
  { versionId, mergeId, repository, revision, options }: NewPublication,
): Promise<string | undefined> {
  const [twin] = await manager.query<{ id: string }[]>(
    `select id from publications
     where state not in ('succeeded', 'failed', 'cancelled') and cancel_requested_at is null
       and version_id is not distinct from $1 and ($1::uuid is not null or merge_id = $2)
       and repository = $3 and revision = $4 and options = $5::jsonb
     order by created_at limit 1`,
    [versionId ?? null, mergeId ?? null, repository, revision, JSON.stringify(options)],
  );
  return twin?.id;
}
