import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { BlobRow } from './blob.entity.js';
import { ModelRow } from './model.entity.js';

export type VersionOrigin = 'upload' | 'merge' | 'import';
export type ParentRole = 'base' | 'model';

/** One immutable version of a model. */
@Entity('versions')
@Unique('versions_model_id_version_key', ['model_id', 'version'])
@Index('versions_source_idx', ['source_repository', 'source_commit'])
@Check('versions_origin_check', `origin in ('upload', 'merge', 'import')`)
export class VersionRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'versions_pkey' })
  id!: string;

  @ForeignKey(() => ModelRow, { name: 'versions_model_id_fkey' })
  @Column('uuid')
  model_id!: string;

  @Column('int')
  version!: number;

  @Column('text')
  origin!: VersionOrigin;

  /** SHA-256 of the manifest: equal digests mean equal files. */
  @Index('versions_digest_idx')
  @Column('char', { length: 64 })
  digest!: string;

  @Column('text', { nullable: true })
  architecture!: string | null;

  @Column('text', { nullable: true })
  model_type!: string | null;

  @Column('bigint', { nullable: true })
  parameter_count!: string | null;

  /** How many tensors have each type. */
  @Column('jsonb', { default: {} })
  dtypes!: Record<string, number>;

  @Column('text', { nullable: true })
  licence!: string | null;

  @Index('versions_merge_id_key', { unique: true })
  @Column('uuid', { nullable: true })
  merge_id!: string | null;

  /** `org/name` on the Hub or `s3://bucket/prefix`, for an import. */
  @Column('text', { nullable: true })
  source_repository!: string | null;

  @Column('text', { nullable: true })
  source_commit!: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;

  @Column('text')
  created_by!: string;

  /** When its weights were given up; everything else of it stays. */
  @Column('timestamptz', { nullable: true })
  weights_expired_at!: Date | null;
}

@Entity('version_files')
export class VersionFileRow {
  @ForeignKey(() => VersionRow, { name: 'version_files_version_id_fkey' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'version_files_pkey' })
  version_id!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'version_files_pkey' })
  path!: string;

  @ForeignKey(() => BlobRow, { name: 'version_files_sha256_fkey' })
  @Index('version_files_sha256_idx')
  @Column('char', { length: 64 })
  sha256!: string;

  @Column('bigint')
  bytes!: string;

  @Column('text')
  media_type!: string;
}

/** Files of a version's manifest whose bytes are no longer kept: nothing holds their blobs. */
@Entity('expired_files')
export class ExpiredFileRow {
  @ForeignKey(() => VersionRow, { name: 'fk_expired_files_version' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_expired_files' })
  version_id!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_expired_files' })
  path!: string;

  @Index('ix_expired_files_sha256')
  @Column('char', { length: 64 })
  sha256!: string;

  @Column('bigint')
  bytes!: string;

  @Column('text')
  media_type!: string;
}

/** What a version was merged from, in the order of the recipe. */
@Entity('version_parents')
@Check('version_parents_role_check', `role in ('base', 'model')`)
export class VersionParentRow {
  @ForeignKey(() => VersionRow, { name: 'version_parents_version_id_fkey' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'version_parents_pkey' })
  version_id!: string;

  @PrimaryColumn('int', { primaryKeyConstraintName: 'version_parents_pkey' })
  position!: number;

  @ForeignKey(() => VersionRow, { name: 'version_parents_parent_id_fkey' })
  @Index('version_parents_parent_id_idx')
  @Column('uuid')
  parent_id!: string;

  @Column('text')
  role!: ParentRole;

  /** As the recipe wrote it. */
  @Column('text')
  reference!: string;
}
