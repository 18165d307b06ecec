import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** "When a version of this model gets this alias, publish it there." */
@Entity('publishing_rules')
@Unique('ux_publishing_rules_target', ['namespace', 'name', 'alias', 'repository'])
export class PublishingRuleRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_publishing_rules' })
  id!: string;

  @Column({ type: 'text' })
  namespace!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  alias!: string;

  @Column({ type: 'text' })
  repository!: string;

  @Column({ type: 'text' })
  revision!: string;

  /** As of a publication; `{version}` in a tag becomes the version's number. */
  @Column({ type: 'jsonb' })
  options!: unknown;

  /** The token that its publications use, encrypted. */
  @Column({ type: 'text', name: 'sealed_token', nullable: true, select: false })
  sealedToken!: string | null;

  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
