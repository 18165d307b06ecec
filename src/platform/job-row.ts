import { Column } from 'typeorm';

/** Columns of a row that one process at a time works on, under a lease that it renews. */
export abstract class LeasedRow {
  /** Raised by every claim: with `owner` it is the fence that every write names. */
  @Column({ type: 'integer', default: 0 })
  attempt!: number;

  @Column({ type: 'text', nullable: true })
  owner!: string | null;

  /** With an owner: until when that lives. Without: not to be taken before. */
  @Column({ type: 'timestamptz', name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  /** Attempts that ended badly since anything was achieved: a shutdown gives the lease back and does not count. */
  @Column({ type: 'integer', default: 0 })
  failures!: number;
}

/** Columns of long work that somebody asked for, whose events can be followed. */
export abstract class JobRow extends LeasedRow {
  @Column({ type: 'integer', name: 'event_seq', default: 0 })
  eventSeq!: number;

  @Column({ type: 'timestamptz', name: 'progress_at', nullable: true })
  progressAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'cancel_requested_at', nullable: true })
  cancelRequestedAt!: Date | null;

  @Column({ type: 'jsonb', nullable: true })
  failure!: unknown;

  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}

/** Columns of what happened to a job, beside its id and the number of the event. */
export abstract class JobEventRow {
  @Column({ type: 'text' })
  type!: string;

  @Column({ type: 'jsonb' })
  data!: unknown;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
