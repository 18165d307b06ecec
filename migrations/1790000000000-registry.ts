import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Models, their immutable versions over blobs, aliases, uploads, and the keys of repeated requests. */
export class Registry1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop table idempotency_keys, upload_files, uploads, aliases, version_parents, version_files, versions, blobs, models',
    );
  }
}

const statements = [
  `create table models (
    id uuid not null,
    namespace text not null,
    name text not null,
    description text not null default '',
    next_version int not null default 1,
    created_at timestamptz not null default now(),
    constraint models_pkey primary key (id),
    constraint models_namespace_name_key unique (namespace, name)
  )`,
  `create table blobs (
    sha256 char(64) not null,
    bytes bigint not null,
    object_key text not null,
    created_at timestamptz not null default now(),
    constraint blobs_pkey primary key (sha256)
  )`,
  // Finding whether an object is still a blob's, when an upload is cleared away.
  `create index blobs_object_key_idx on blobs (object_key)`,
  `create table versions (
    id uuid not null,
    model_id uuid not null,
    version int not null,
    origin text not null,
    digest char(64) not null,
    architecture text,
    model_type text,
    parameter_count bigint,
    dtypes jsonb not null default '{}',
    licence text,
    merge_id uuid,
    created_at timestamptz not null default now(),
    created_by text not null,
    constraint versions_pkey primary key (id),
    constraint versions_model_id_version_key unique (model_id, version),
    constraint versions_model_id_fkey foreign key (model_id) references models (id),
    constraint versions_origin_check check (origin in ('upload', 'merge'))
  )`,
  // One merge makes at most one version, whatever overlaps.
  `create unique index versions_merge_id_key on versions (merge_id)`,
  `create index versions_digest_idx on versions (digest)`,
  `create table version_files (
    version_id uuid not null,
    path text not null,
    sha256 char(64) not null,
    bytes bigint not null,
    media_type text not null,
    constraint version_files_pkey primary key (version_id, path),
    constraint version_files_version_id_fkey foreign key (version_id) references versions (id),
    constraint version_files_sha256_fkey foreign key (sha256) references blobs (sha256)
  )`,
  `create index version_files_sha256_idx on version_files (sha256)`,
  `create table version_parents (
    version_id uuid not null,
    position int not null,
    parent_id uuid not null,
    role text not null,
    reference text not null,
    constraint version_parents_pkey primary key (version_id, position),
    constraint version_parents_version_id_fkey foreign key (version_id) references versions (id),
    constraint version_parents_parent_id_fkey foreign key (parent_id) references versions (id),
    constraint version_parents_role_check check (role in ('base', 'model'))
  )`,
  `create index version_parents_parent_id_idx on version_parents (parent_id)`,
  `create table aliases (
    model_id uuid not null,
    alias text not null,
    version_id uuid not null,
    revision int not null default 1,
    updated_at timestamptz not null default now(),
    constraint aliases_pkey primary key (model_id, alias),
    constraint aliases_model_id_fkey foreign key (model_id) references models (id),
    constraint aliases_version_id_fkey foreign key (version_id) references versions (id)
  )`,
  `create index aliases_version_id_idx on aliases (version_id)`,
  `create table uploads (
    id uuid not null,
    model_id uuid not null,
    state text not null default 'open',
    version_id uuid,
    created_at timestamptz not null default now(),
    created_by text not null,
    expires_at timestamptz not null,
    constraint uploads_pkey primary key (id),
    constraint uploads_model_id_fkey foreign key (model_id) references models (id),
    constraint uploads_version_id_fkey foreign key (version_id) references versions (id),
    constraint uploads_state_check check (state in ('open', 'completed', 'discarded'))
  )`,
  `create index uploads_expires_at_idx on uploads (expires_at)`,
  `create table upload_files (
    upload_id uuid not null,
    path text not null,
    bytes bigint not null,
    sha256 char(64) not null,
    received bigint not null default 0,
    object_key text not null,
    multipart_id text,
    parts jsonb not null default '[]',
    done boolean not null default false,
    attempt int not null default 1,
    constraint upload_files_pkey primary key (upload_id, path),
    constraint upload_files_upload_id_fkey foreign key (upload_id) references uploads (id) on delete cascade
  )`,
  `create table idempotency_keys (
    principal text not null,
    route text not null,
    key text not null,
    fingerprint char(64) not null,
    token uuid not null,
    claimed_until timestamptz not null,
    status int,
    headers jsonb,
    body jsonb,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (principal, route, key)
  )`,
  `create index idempotency_keys_created_at_idx on idempotency_keys (created_at)`,
];
