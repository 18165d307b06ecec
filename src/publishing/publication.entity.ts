import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { JobEventRow, JobRow } from '../platform/job-row.js';
import type { PublicationState } from './publication-state.js';

const states = `"state" IN ('waiting','queued','planning','uploading','committing','settling','succeeded','failed','cancelled')`;

/** One publication: what was asked, what was planned, and how far it is. */
@Entity('publications')
@Check('ck_publications_state', states)
@Check('ck_publications_version', `"version_id" IS NOT NULL OR "state" IN ('waiting','cancelled')`)
@Index('ix_publications_created', ['createdAt', 'id'])
@Index('ix_publications_state', ['state', 'createdAt'])
@Index('ix_publications_version', ['versionId'])
@Index('ix_publications_merge', ['mergeId'])
export class PublicationRow extends JobRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_publications' })
  id!: string;

  @Column({ type: 'text' })
  state!: PublicationState;

  /** Unknown while the merge that makes it goes on. */
  @ForeignKey('versions', { name: 'fk_publications_version' })
  @Column({ type: 'uuid', name: 'version_id', nullable: true })
  versionId!: string | null;

  /** `org/name`, as it was asked for. */
  @Column({ type: 'text' })
  repository!: string;

  @Column({ type: 'text' })
  revision!: string;

  /** Visibility, gating, pull request, tag. */
  @Column({ type: 'jsonb' })
  options!: unknown;

  @ForeignKey('merges', { name: 'fk_publications_merge' })
  @Column({ type: 'uuid', name: 'merge_id', nullable: true })
  mergeId!: string | null;

  @ForeignKey('publishing_rules', { name: 'fk_publications_rule', onDelete: 'SET NULL' })
  @Column({ type: 'uuid', name: 'rule_id', nullable: true })
  ruleId!: string | null;

  /** The token that came with the request, encrypted; gone as soon as the publication has ended. */
  @Column({ type: 'text', name: 'sealed_token', nullable: true, select: false })
  sealedToken!: string | null;

  /** Files and generated texts, once planned: a resumed attempt sends exactly the same. */
  @Column({ type: 'json', nullable: true, select: false })
  plan!: unknown;

  @Column({ type: 'bigint', name: 'total_bytes', default: 0 })
  totalBytes!: number;

  @Column({ type: 'bigint', name: 'done_bytes', default: 0 })
  doneBytes!: number;

  /** What was found or made on the Hub: repository, pull request, parent commit, commit. */
  @Column({ type: 'jsonb', default: {} })
  found!: unknown;
}

/** An object that goes to the Hub's store, by its digest: two files with the same bytes are sent once. */
@Entity('publication_files')
@Check('ck_publication_files_state', `"state" IN ('pending','stored')`)
export class PublicationFileRow {
  @ForeignKey('publications', { name: 'fk_publication_files_publication', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'publication_id', primaryKeyConstraintName: 'pk_publication_files' })
  publicationId!: string;

  @PrimaryColumn({ type: 'character', length: 64, primaryKeyConstraintName: 'pk_publication_files' })
  sha256!: string;

  @Column({ type: 'bigint' })
  bytes!: number;

  @Column({ type: 'text', default: 'pending' })
  state!: 'pending' | 'stored';

  /** Number of the Hub's answer that is in `sealed_upload`: parts sent under another one do not count. */
  @Column({ type: 'integer', default: 0 })
  batch!: number;

  /** The Hub's answer, encrypted: whoever knows its addresses may write to them. */
  @Column({ type: 'text', name: 'sealed_upload', nullable: true, select: false })
  sealedUpload!: string | null;
}

/** A part that the Hub's store has taken. */
@Entity('publication_parts')
@ForeignKey('publication_files', ['publicationId', 'sha256'], ['publicationId', 'sha256'], {
  name: 'fk_publication_parts_file',
  onDelete: 'CASCADE',
})
export class PublicationPartRow {
  @PrimaryColumn({ type: 'uuid', name: 'publication_id', primaryKeyConstraintName: 'pk_publication_parts' })
  publicationId!: string;

  @PrimaryColumn({ type: 'character', length: 64, primaryKeyConstraintName: 'pk_publication_parts' })
  sha256!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_publication_parts' })
  batch!: number;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_publication_parts' })
  number!: number;

  @Column({ type: 'text' })
  etag!: string;
}

/** What happened to a publication, in order. */
@Entity('publication_events')
export class PublicationEventRow extends JobEventRow {
  @ForeignKey('publications', { name: 'fk_publication_events_publication', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'publication_id', primaryKeyConstraintName: 'pk_publication_events' })
  publicationId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_publication_events' })
  seq!: number;
}
