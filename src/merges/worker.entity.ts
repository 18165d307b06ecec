import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A process that carries out merges, alive while its heartbeat is young. */
@Entity('workers')
@Check('ck_workers_pool', `"pool" IN ('cpu','gpu')`)
export class WorkerRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pk_workers' })
  id!: string;

  @Column({ type: 'text' })
  pool!: 'cpu' | 'gpu';

  @Column({ type: 'timestamptz', name: 'started_at', default: () => 'now()' })
  startedAt!: Date;

  @Column({ type: 'timestamptz', name: 'heartbeat_at', default: () => 'now()' })
  heartbeatAt!: Date;
}
