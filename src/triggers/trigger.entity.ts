import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** A recipe that waits for versions of a model. */
@Entity('triggers')
@Unique('uq_triggers_name', ['name'])
@Check('ck_triggers_keep_last', `"keep_last" >= 1`)
export class TriggerRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_triggers' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  /** By name, because the model may come later than the trigger. */
  @Column({ type: 'text', name: 'watch_namespace' })
  watchNamespace!: string;

  @Column({ type: 'text', name: 'watch_name' })
  watchName!: string;

  @Column({ type: 'json' })
  recipe!: unknown;

  @Column({ type: 'character', length: 64, name: 'recipe_digest' })
  recipeDigest!: string;

  /** Of each merge: what a request has beside recipe and output. */
  @Column({ type: 'json' })
  options!: unknown;

  @Column({ type: 'text' })
  output!: string;

  /** Token of the Hub for its publications, encrypted. */
  @Column({ type: 'text', name: 'sealed_token', nullable: true, select: false })
  sealedToken!: string | null;

  @Column({ type: 'integer', name: 'keep_last', nullable: true })
  keepLast!: number | null;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  /** Versions of the watched model up to this one have been seen: the others are what is still to be recorded. */
  @Column({ type: 'integer', name: 'seen_version' })
  seenVersion!: number;

  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

/** What a trigger does about one checkpoint: at most one row, however often its bytes arrive. */
@Entity('trigger_runs')
@Check('ck_trigger_runs_origin', `"origin" IN ('arrival','back-fill')`)
@Check('ck_trigger_runs_state', `"state" IN ('waiting','submitted','refused')`)
@Check('ck_trigger_runs_submitted', `("state" = 'submitted') = ("merge_id" IS NOT NULL)`)
@Index('ix_trigger_runs_waiting', ['state', 'nextAttemptAt'])
export class TriggerRunRow {
  @ForeignKey('triggers', { name: 'fk_trigger_runs_trigger', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'trigger_id', primaryKeyConstraintName: 'pk_trigger_runs' })
  triggerId!: string;

  /** SHA-256 of the version's manifest: equal digests mean equal files. */
  @PrimaryColumn({
    type: 'character',
    length: 64,
    name: 'checkpoint_digest',
    primaryKeyConstraintName: 'pk_trigger_runs',
  })
  checkpointDigest!: string;

  @ForeignKey('versions', { name: 'fk_trigger_runs_version' })
  @Index('ix_trigger_runs_version')
  @Column({ type: 'uuid', name: 'version_id' })
  versionId!: string;

  @Column({ type: 'integer', name: 'version_number' })
  versionNumber!: number;

  @Column({ type: 'text' })
  origin!: 'arrival' | 'back-fill';

  @Column({ type: 'text' })
  state!: 'waiting' | 'submitted' | 'refused';

  @ForeignKey('merges', { name: 'fk_trigger_runs_merge' })
  @Column({ type: 'uuid', name: 'merge_id', nullable: true })
  mergeId!: string | null;

  /** Whether the trigger made the merge, or found one that somebody else had made: that one's result is not its own. */
  @Column({ type: 'boolean', name: 'is_own_merge', default: false })
  isOwnMerge!: boolean;

  @Column({ type: 'jsonb', nullable: true })
  failure!: unknown;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'next_attempt_at', default: () => 'now()' })
  nextAttemptAt!: Date;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
