import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** A person's decision on one assessment of a version. Never changed, never deleted: what was decided stays on record. */
@Entity('licence_approvals')
@Index('ix_licence_approvals_version', ['version_id', 'created_at'])
export class LicenceApprovalRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_licence_approvals' })
  id!: string;

  @ForeignKey('versions', { name: 'fk_licence_approvals_version' })
  @Column('uuid')
  version_id!: string;

  /** Digest of what was approved: an assessment that turns out otherwise later is not covered. */
  @Column('char', { length: 64 })
  assessment!: string;

  @Column('text')
  reason!: string;

  /** Name of the API key. */
  @Column('text')
  approved_by!: string;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;
}
