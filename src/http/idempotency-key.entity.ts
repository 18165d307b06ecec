import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A POST that carried an Idempotency-Key: being carried out while `status` is null, afterwards its answer. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  principal!: string;

  /** Method and pattern, such as `POST /v1/models`. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  route!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  key!: string;

  /** SHA-256 of URL and body: the same key with another request is a mistake of the client. */
  @Column('char', { length: 64 })
  fingerprint!: string;

  /** Names the attempt; an attempt that lost its claim changes nothing. */
  @Column('uuid')
  token!: string;

  @Column('timestamptz')
  claimed_until!: Date;

  @Column('int', { nullable: true })
  status!: number | null;

  @Column('jsonb', { nullable: true })
  headers!: Record<string, string> | null;

  @Column('jsonb', { nullable: true })
  body!: unknown;

  @Index('idempotency_keys_created_at_idx')
  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;
}
