import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A name under which versions are kept. */
@Entity('models')
@Unique('models_namespace_name_key', ['namespace', 'name'])
export class ModelRow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'models_pkey' })
  id!: string;

  @Column('text')
  namespace!: string;

  @Column('text')
  name!: string;

  @Column('text', { default: '' })
  description!: string;

  /** Taken and raised by the transaction that makes a version, so numbers have no gaps. */
  @Column('int', { default: 1 })
  next_version!: number;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;
}
