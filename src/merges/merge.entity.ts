import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { JobRow } from '../platform/job-row.js';
import type { MergeState } from './merge-state.js';

const states = `"state" IN ('queued','planning','fetching','running','finalizing','succeeded','failed','cancelled')`;

/**
 * One merge: what was asked, what was planned, and how far it is. `plan` is large and read only by who executes it. The lease is
 * that of its finalisation: shards and preparations have their own.
 */
@Entity('merges')
@Check('ck_merges_state', states)
@Check('ck_merges_succeeded', `("state" = 'succeeded') = ("version_id" IS NOT NULL)`)
@Index('ix_merges_created', ['createdAt', 'id'])
@Index('ix_merges_state', ['state', 'createdAt'])
@Index('ix_merges_plan_digest', ['planDigest', 'state'])
// Over an expression, which TypeORM cannot describe: the migration alone knows it.
@Index('ux_merges_live_twin', { synchronize: false })
export class MergeRow extends JobRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_merges' })
  id!: string;

  @Column({ type: 'text' })
  state!: MergeState;

  @Column({ type: 'text', name: 'output_namespace' })
  outputNamespace!: string;

  @Column({ type: 'text', name: 'output_name' })
  outputName!: string;

  @Column({ type: 'text', name: 'output_alias', nullable: true })
  outputAlias!: string | null;

  @Column({ type: 'json' })
  recipe!: unknown;

  /** This and what else a plan gives are null until all inputs are there; `summary` only until there is a first plan. */
  @Column({ type: 'json', name: 'pinned_recipe', nullable: true })
  pinnedRecipe!: unknown;

  @Column({ type: 'bigint', nullable: true })
  seed!: number | null;

  @Column({ type: 'bigint', name: 'shard_bytes' })
  shardBytes!: number;

  @Column({ type: 'jsonb' })
  labels!: Record<string, string>;

  @Column({ type: 'text' })
  device!: string;

  @Column({ type: 'json', select: false, nullable: true })
  plan!: unknown;

  @Column({ type: 'character', length: 64, name: 'plan_digest', nullable: true })
  planDigest!: string | null;

  @Column({ type: 'json', nullable: true })
  summary!: unknown;

  @Column({ type: 'integer', default: 0 })
  announcement!: number;

  @Column({ type: 'timestamptz', name: 'announced_at', nullable: true })
  announcedAt!: Date | null;

  @ForeignKey('versions', { name: 'fk_merges_version' })
  @Column({ type: 'uuid', name: 'version_id', nullable: true })
  versionId!: string | null;

  /** Its number within the output's model. */
  @Column({ type: 'integer', name: 'version_number', nullable: true })
  versionNumber!: number | null;

  @ForeignKey('merges', { name: 'fk_merges_deduplicated_from' })
  @Column({ type: 'uuid', name: 'deduplicated_from', nullable: true })
  deduplicatedFrom!: string | null;

  /** When what a failed or cancelled merge had stored was deleted. */
  @Column({ type: 'timestamptz', name: 'freed_at', nullable: true })
  freedAt!: Date | null;
}

/** A model that the recipe names, pinned to the version that it meant when the merge was submitted. */
@Entity('merge_inputs')
@Check('ck_merge_inputs_role', `"role" IN ('base','model')`)
@Index('ix_merge_inputs_version', ['versionId'])
export class MergeInputRow {
  @ForeignKey('merges', { name: 'fk_merge_inputs_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_inputs' })
  mergeId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_merge_inputs' })
  position!: number;

  @Column({ type: 'text' })
  reference!: string;

  @Column({ type: 'text' })
  role!: 'base' | 'model';

  @ForeignKey('versions', { name: 'fk_merge_inputs_version' })
  @Column({ type: 'uuid', name: 'version_id' })
  versionId!: string;
}
