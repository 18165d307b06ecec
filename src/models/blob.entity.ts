import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Bytes that are stored once, whoever refers to them; whoever does, does so by a foreign key. */
@Entity('blobs')
export class BlobRow {
  @PrimaryColumn('char', { length: 64, primaryKeyConstraintName: 'blobs_pkey' })
  sha256!: string;

  @Column('bigint')
  bytes!: string;

  @Index('blobs_object_key_idx')
  @Column('text')
  object_key!: string;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;
}
