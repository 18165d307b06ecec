import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { ModelRow } from './model.entity.js';
import { VersionRow } from './version.entity.js';

/** A movable name of a version. */
@Entity('aliases')
export class AliasRow {
  @ForeignKey(() => ModelRow, { name: 'aliases_model_id_fkey' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'aliases_pkey' })
  model_id!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'aliases_pkey' })
  alias!: string;

  @ForeignKey(() => VersionRow, { name: 'aliases_version_id_fkey' })
  @Index('aliases_version_id_idx')
  @Column('uuid')
  version_id!: string;

  /** Raised with every move; part of the entity tag. */
  @Column('int', { default: 1 })
  revision!: number;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at!: Date;
}
