import type { EntityManager } from 'typeorm';
import type { PublicationPlan } from './publication-plan.js';
import { isTerminal, type PublicationState } from './publication-state.js';
import type { Publication, PublicationFailure, PublicationOptions } from './publications.schema.js';

/** What was found or made on the Hub so far. */
export interface Found {
  /** `org/name` as the Hub calls it now: repositories are renamed. */
  repository?: string;
  /** We made the repository, or were about to. */
  created?: boolean;
  pullRequestsBefore?: number[];
  pullRequest?: number;
  /** Head of the revision before our commit. */
  parent?: string;
  commit?: string;
  url?: string;
}

/** A publication as the API shows it; conditions on p follow. */
export const selectPublications = `
  select p.id, p.state, p.repository, p.revision, p.options, p.merge_id, p.rule_id, p.plan, p.total_bytes, p.done_bytes,
         p.found, p.cancel_requested_at, p.failure, p.created_by, p.created_at, p.finished_at, p.event_seq,
         (select m.namespace || '/' || m.name || '@' || v.version
          from versions v join models m on m.id = v.model_id where v.id = p.version_id) as version
  from publications p`;

export interface PublicationRecord {
  id: string;
  state: PublicationState;
  version: string | null;
  repository: string;
  revision: string;
  options: PublicationOptions;
  merge_id: string | null;
  rule_id: string | null;
  plan: PublicationPlan | null;
  total_bytes: string;
  done_bytes: string;
  found: Found;
  cancel_requested_at: Date | null;
  failure: PublicationFailure | null;
  created_by: string;
  created_at: Date;
  finished_at: Date | null;
  event_seq: number;
}

export function publicationOf(row: PublicationRecord): Publication {
  const { options, found } = row;
  return {
    id: row.id,
    state: row.state,
    version: row.version,
    repository: `hf:${found.repository ?? row.repository}`,
    revision: row.revision,
    visibility: options.visibility ?? null,
    gated: options.gated ?? null,
    createPr: options.createPr,
    tag: options.tag ?? null,
    mergeId: row.merge_id,
    ruleId: row.rule_id,
    files: row.plan && row.plan.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
    progress: { bytesDone: Number(row.done_bytes), bytesTotal: Number(row.total_bytes) },
    cancelRequested: row.cancel_requested_at !== null && !isTerminal(row.state),
    failure: row.failure,
    commit: found.commit ?? null,
    url: found.url ?? null,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    lastEvent: row.event_seq,
  };
}

/** Reads one publication inside whatever transaction the manager has. */
export async function findPublication(manager: EntityManager, id: string): Promise<Publication | undefined> {
  const [row] = await manager.query<PublicationRecord[]>(`${selectPublications} where p.id = $1`, [id]);
  return row && publicationOf(row);
}
