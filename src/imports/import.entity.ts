import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { JobEventRow, JobRow } from '../platform/job-row.js';
import type { ImportState } from './import-state.js';
import type { ImportMode } from './imports.schema.js';

const states = `"state" IN ('queued','planning','fetching','succeeded','failed','cancelled')`;

/** One import: what was asked, what is to be fetched, and how far it is. Its files are those of an upload. */
@Entity('imports')
@Check('ck_imports_state', states)
@Check('ck_imports_mode', `"mode" IN ('copy','reference')`)
@Check('ck_imports_version', `("state" = 'succeeded') = ("version_id" IS NOT NULL)`)
@Index('ix_imports_created', ['createdAt', 'id'])
@Index('ix_imports_state', ['state', 'createdAt'])
export class ImportRow extends JobRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_imports' })
  id!: string;

  @Column({ type: 'text', default: 'queued' })
  state!: ImportState;

  /** `hf:org/name@revision` or `s3://bucket/prefix`, as it was asked for. */
  @Column({ type: 'text' })
  source!: string;

  /** Whether the weights come into the store or stay where they are. */
  @Column({ type: 'text', default: 'copy' })
  mode!: ImportMode;

  @Column({ type: 'text' })
  namespace!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  alias!: string | null;

  /** Where its files are on their way. Uploads are cleared away by their own rules, so nothing refers to the row. */
  @Column({ type: 'uuid', name: 'upload_id', nullable: true })
  uploadId!: string | null;

  /** The token that came with the request, encrypted; gone as soon as the import has ended. */
  @Column({ type: 'text', name: 'sealed_token', nullable: true, select: false })
  sealedToken!: string | null;

  /** Whose token is used when the request brought none, where it is not the one of `namespace`. */
  @Column({ type: 'text', name: 'token_namespace', nullable: true })
  tokenNamespace!: string | null;

  /** Repository, commit and files, once the headers were read: a resumed attempt fetches exactly the same. */
  @Column({ type: 'json', nullable: true, select: false })
  plan!: unknown;

  @Column({ type: 'bigint', name: 'total_bytes', default: 0 })
  totalBytes!: number;

  @Column({ type: 'bigint', name: 'done_bytes', default: 0 })
  doneBytes!: number;

  @ForeignKey('versions', { name: 'fk_imports_version' })
  @Column({ type: 'uuid', name: 'version_id', nullable: true })
  versionId!: string | null;
}

/** What happened to an import, in order. */
@Entity('import_events')
export class ImportEventRow extends JobEventRow {
  @ForeignKey('imports', { name: 'fk_import_events_import', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'import_id', primaryKeyConstraintName: 'pk_import_events' })
  importId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_import_events' })
  seq!: number;
}
