import { Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { JobEventRow } from '../platform/job-row.js';

/** What happened to a merge, in order. Event streams, lists and webhooks read from here and nowhere else. */
@Entity('merge_events')
export class MergeEventRow extends JobEventRow {
  @ForeignKey('merges', { name: 'fk_merge_events_merge', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid', name: 'merge_id', primaryKeyConstraintName: 'pk_merge_events' })
  mergeId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_merge_events' })
  seq!: number;
}
