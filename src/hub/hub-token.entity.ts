import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The token of the Hub that a namespace of the registry has. */
@Entity('hub_tokens')
export class HubTokenRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pk_hub_tokens' })
  namespace!: string;

  /** Encrypted for this namespace. */
  @Column({ type: 'text', name: 'sealed_token', select: false })
  sealedToken!: string;

  /** Name of the API key. */
  @Column({ type: 'text', name: 'set_by' })
  setBy!: string;

  @Column({ type: 'timestamptz', name: 'set_at', default: () => 'now()' })
  setAt!: Date;
}
