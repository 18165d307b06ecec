import { sourceName } from './names.js';
import type { VersionFile, VersionSummary } from './models.schema.js';
import type { VersionOrigin } from './version.entity.js';

/** Every version with what the API shows of it; conditions on m (models) and v (versions) follow. */
export const selectVersions = `
  select v.id, m.namespace, m.name, v.version, v.origin, v.merge_id, v.digest, v.architecture, v.model_type,
         v.parameter_count, v.dtypes, v.licence, v.source_repository, v.source_commit, v.created_at, v.created_by,
         v.weights_expired_at,
         (select coalesce(sum(f.bytes), 0) from version_files f where f.version_id = v.id)
           + (select coalesce(sum(f.bytes), 0) from expired_files f where f.version_id = v.id) as bytes,
         array(select a.alias from aliases a where a.version_id = v.id order by a.alias) as aliases
  from versions v join models m on m.id = v.model_id`;

export interface VersionRecord {
  id: string;
  namespace: string;
  name: string;
  version: number;
  origin: VersionOrigin;
  merge_id: string | null;
  digest: string;
  architecture: string | null;
  model_type: string | null;
  parameter_count: string | null;
  dtypes: Record<string, number>;
  licence: string | null;
  source_repository: string | null;
  source_commit: string | null;
  created_at: Date;
  created_by: string;
  weights_expired_at: Date | null;
  bytes: string;
  aliases: string[];
}

export function summaryOf(row: VersionRecord): VersionSummary {
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    version: row.version,
    reference: nameOf(row),
    aliases: row.aliases,
    origin: row.origin,
    mergeId: row.merge_id,
    source: sourceOf(row),
    digest: row.digest,
    bytes: Number(row.bytes),
    architecture: row.architecture,
    modelType: row.model_type,
    parameterCount: row.parameter_count === null ? null : Number(row.parameter_count),
    dtypes: row.dtypes,
    licence: row.licence,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    weightsExpiredAt: row.weights_expired_at?.toISOString() ?? null,
  };
}

/** `hf:org/name@commit`; null for what was not imported from there. */
export function hubSourceOf({ source_repository: repository, source_commit: commit }: VersionRecord): string | null {
  const source = repository === null ? undefined : sourceName(repository);
  return source?.startsWith('hf:') === true && commit !== null ? `${source}@${commit}` : null;
}

function sourceOf({ source_repository: repository, source_commit: commit }: VersionRecord): VersionSummary['source'] {
  return repository === null || commit === null ? null : { repository: sourceName(repository), commit };
}

export const selectFiles = `
  select f.path, f.bytes, f.sha256, f.media_type, b.object_key
  from version_files f join blobs b on b.sha256 = f.sha256`;

export interface FileRecord {
  path: string;
  bytes: string;
  sha256: string;
  media_type: string;
  object_key: string;
}

/** Every file of a version's manifest, whether its bytes are kept or not. */
export const selectManifest = `
  select f.path, f.bytes, f.sha256, f.media_type from (
    select version_id, path, bytes, sha256, media_type from version_files
    union all select version_id, path, bytes, sha256, media_type from expired_files) f`;

export type ManifestRecord = Omit<FileRecord, 'object_key'>;

export function nameOf({ namespace, name, version }: Pick<VersionRecord, 'namespace' | 'name' | 'version'>): string {
  return `${namespace}/${name}@${version}`;
}

export function fileOf(row: ManifestRecord): VersionFile {
  return { path: row.path, bytes: Number(row.bytes), sha256: row.sha256, mediaType: row.media_type };
}
