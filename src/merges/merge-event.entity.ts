import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** What happened to a merge, in order. Event streams, lists and webhooks read from here and nowhere else. */
@Entity('merge_events')
export class MergeEventRow {
  @ForeignKey('merges', { name: 'fk_merge_events_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_events' })
  mergeId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_merge_events' })
  seq!: number;

  @Column({ type: 'text' })
  type!: string;

  @Column({ type: 'jsonb' })
  data!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
