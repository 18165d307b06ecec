import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { LeasedRow } from '../platform/job-row.js';

/** One output file of a merge: the unit that a worker takes, and the most that a crash can cost. */
@Entity('merge_shards')
@Check('ck_merge_shards_state', `"state" IN ('pending','running','done')`)
@Check(
  'ck_merge_shards_done',
  `"state" <> 'done' OR ("sha256" IS NOT NULL AND "bytes" IS NOT NULL AND "object_key" IS NOT NULL)`,
)
@Index('ix_merge_shards_state', ['state', 'leaseUntil'])
@Index('ix_merge_shards_sha256', ['sha256'])
export class MergeShardRow extends LeasedRow {
  @ForeignKey('merges', { name: 'fk_merge_shards_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_shards' })
  mergeId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_merge_shards' })
  index!: number;

  @Column({ type: 'text', name: 'file_name' })
  fileName!: string;

  @Column({ type: 'bigint', name: 'planned_bytes' })
  plannedBytes!: number;

  @Column({ type: 'text', default: 'pending' })
  state!: 'pending' | 'running' | 'done';

  @Column({ type: 'integer', default: 0 })
  announcement!: number;

  @Column({ type: 'timestamptz', name: 'announced_at', nullable: true })
  announcedAt!: Date | null;

  @Column({ type: 'bigint', name: 'done_bytes', default: 0 })
  doneBytes!: number;

  @Column({ type: 'character', length: 64, nullable: true })
  sha256!: string | null;

  @Column({ type: 'bigint', nullable: true })
  bytes!: number | null;

  @Column({ type: 'text', name: 'object_key', nullable: true })
  objectKey!: string | null;

  /** Of its tensors: the merge report is made of those of all shards. */
  @Column({ type: 'json', nullable: true, select: false })
  reports!: unknown;
}
