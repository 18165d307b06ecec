import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { LeasedRow } from '../../platform/job-row.js';

/** What a merge was asked for that cannot be planned at once, and who prepares it. It stays with the merge, for a retry. */
@Entity('merge_preparations')
@Index('ix_merge_preparations_request', ['requestDigest'])
@Index('ix_merge_preparations_first', ['firstDigest'])
export class PreparationRow extends LeasedRow {
  @ForeignKey('merges', { name: 'fk_merge_preparations_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_preparations' })
  mergeId!: string;

  /** The recipe as it came, and the options of its plan. */
  @Column({ type: 'json' })
  request!: unknown;

  @Column({ type: 'character', length: 64, name: 'request_digest' })
  requestDigest!: string;

  /** Of the plan that was made before anything was fetched or merged: who asks again gets as far, and finds the result. */
  @Column({ type: 'character', length: 64, name: 'first_digest', nullable: true })
  firstDigest!: string | null;

  /** The token that came with the request, encrypted; gone as soon as all inputs are there. */
  @Column({ type: 'text', name: 'sealed_token', nullable: true, select: false })
  sealedToken!: string | null;
}

/** An input that has to be there before a merge: an import, or the merge of a stage. */
@Entity('merge_needs')
@Check('ck_merge_needs_one', `("import_id" IS NULL) <> ("stage_id" IS NULL)`)
@Index('ix_merge_needs_import', ['importId'])
@Index('ix_merge_needs_stage', ['stageId'])
export class NeedRow {
  @ForeignKey('merges', { name: 'fk_merge_needs_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_needs' })
  mergeId!: string;

  /** As the recipe names it. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pk_merge_needs' })
  reference!: string;

  /** Where the recipe names it, into the request. */
  @Column({ type: 'text' })
  pointer!: string;

  @ForeignKey('imports', { name: 'fk_merge_needs_import' })
  @Column({ type: 'uuid', name: 'import_id', nullable: true })
  importId!: string | null;

  @ForeignKey('merges', { name: 'fk_merge_needs_stage' })
  @Column({ type: 'uuid', name: 'stage_id', nullable: true })
  stageId!: string | null;

  /** Whether it was begun for this merge: then it ends with it. */
  @Column({ type: 'boolean', name: 'is_own' })
  isOwn!: boolean;

  /** Whether a stage's weights stay when the merge is done. */
  @Column({ type: 'boolean' })
  keep!: boolean;

  /** When what was begun for the merge was called off or given up. */
  @Column({ type: 'timestamptz', name: 'released_at', nullable: true })
  releasedAt!: Date | null;
}
