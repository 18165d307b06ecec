import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { UploadedPart } from '../storage/object-store.js';
import { ModelRow } from './model.entity.js';
import { VersionRow } from './version.entity.js';

export type UploadState = 'open' | 'completed' | 'discarded';

/** A version in the making. The row outlives completion until what it left in the store is cleared away. */
@Entity('uploads')
@Check('uploads_state_check', `state in ('open', 'completed', 'discarded')`)
export class UploadRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'uploads_pkey' })
  id!: string;

  @ForeignKey(() => ModelRow, { name: 'uploads_model_id_fkey' })
  @Column('uuid')
  model_id!: string;

  @Column('text', { default: 'open' })
  state!: UploadState;

  @ForeignKey(() => VersionRow, { name: 'uploads_version_id_fkey' })
  @Column('uuid', { nullable: true })
  version_id!: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;

  @Column('text')
  created_by!: string;

  @Index('uploads_expires_at_idx')
  @Column('timestamptz')
  expires_at!: Date;
}

/** One file on its way. The row exists before the first byte is stored, so that nothing is stored without a trace. */
@Entity('upload_files')
export class UploadFileRow {
  @ForeignKey(() => UploadRow, { name: 'upload_files_upload_id_fkey', onDelete: 'CASCADE' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'upload_files_pkey' })
  upload_id!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'upload_files_pkey' })
  path!: string;

  @Column('bigint')
  bytes!: string;

  @Column('char', { length: 64 })
  sha256!: string;

  /** Bytes that the store has for good: where a broken request is taken up again. */
  @Column('bigint', { default: 0 })
  received!: string;

  @Column('text')
  object_key!: string;

  @Column('text', { nullable: true })
  multipart_id!: string | null;

  @Column('jsonb', { default: [] })
  parts!: UploadedPart[];

  @Column('boolean', { default: false })
  done!: boolean;

  /** Raised by every request for the file; the writes of an older one change nothing. */
  @Column('int', { default: 1 })
  attempt!: number;
}
