import type { EntityManager } from 'typeorm';
import { sourceName } from '../models/names.js';
import type { ImportPlan } from './import-plan.js';
import { type ImportState, isTerminal } from './import-state.js';
import type { Import, ImportFailure, ImportMode } from './imports.schema.js';

/** An import as the API shows it; conditions on i follow. */
export const selectImports = `
  select i.id, i.state, i.source, i.namespace, i.name, i.alias, i.mode, i.plan, i.total_bytes, i.done_bytes,
         i.cancel_requested_at, i.failure, i.created_by, i.created_at, i.finished_at, i.event_seq,
         (select m.namespace || '/' || m.name || '@' || v.version
          from versions v join models m on m.id = v.model_id where v.id = i.version_id) as version
  from imports i`;

export interface ImportRecord {
  id: string;
  state: ImportState;
  source: string;
  namespace: string;
  name: string;
  alias: string | null;
  mode: ImportMode;
  plan: ImportPlan | null;
  total_bytes: string;
  done_bytes: string;
  cancel_requested_at: Date | null;
  failure: ImportFailure | null;
  created_by: string;
  created_at: Date;
  finished_at: Date | null;
  event_seq: number;
  version: string | null;
}

export function importOf(row: ImportRecord): Import {
  const { plan } = row;
  return {
    id: row.id,
    state: row.state,
    source: row.source,
    model: `${row.namespace}/${row.name}`,
    alias: row.alias,
    mode: row.mode,
    repository: plan && sourceName(plan.repository),
    commit: plan && plan.commit,
    files: plan && plan.files.map(({ path, bytes }) => ({ path, bytes })),
    progress: { bytesDone: Number(row.done_bytes), bytesTotal: Number(row.total_bytes) },
    version: row.version,
    cancelRequested: row.cancel_requested_at !== null && !isTerminal(row.state),
    failure: row.failure,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    lastEvent: row.event_seq,
  };
}

/** Reads one import inside whatever transaction the manager has. */
export async function findImport(manager: EntityManager, id: string): Promise<Import | undefined> {
  const [row] = await manager.query<ImportRecord[]>(`${selectImports} where i.id = $1`, [id]);
  return row && importOf(row);
}
