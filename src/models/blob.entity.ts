import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Bytes that are stored once, whoever refers to them; whoever does, does so by a foreign key. */
@Entity('blobs')
export class BlobRow {
  @PrimaryColumn('char', { length: 64, primaryKeyConstraintName: 'blobs_pkey' })
  sha256!: string;

  @Column('bigint')
  bytes!: string;

  /** Of the service's own store; or `s3://bucket/name#etag`, where an import refers to what stays in another bucket. */
  @Index('blobs_object_key_idx')
  @Column('text')
  object_key!: string;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;
}
