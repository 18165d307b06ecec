import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../errors.js';
import { leaseSeconds, type WorkerPool } from './shard-leases.js';

/** Processes that carry out merges, and whether they are alive. */
@Injectable()
export class Workers {
  /** This process; a new one after every start, so that what a dead one owned is never taken for ours. */
  readonly id = randomUUID();
  readonly pool: WorkerPool = 'cpu';

  constructor(private readonly database: DataSource) {}

  async beat(): Promise<void> {
    await this.database.query(
      `insert into workers (id, pool) values ($1, $2) on conflict (id) do update set heartbeat_at = now()`,
      [this.id, this.pool],
    );
  }

  async leave(): Promise<void> {
    await this.database.query('delete from workers where id = $1', [this.id]);
  }

  /** Rows of processes that ended without a word are of no use to anyone. */
  async forgetDead(): Promise<void> {
    await this.database.query(`delete from workers where heartbeat_at < now() - interval '1 minute'`);
  }

  /** @throws AppError no_gpu_worker */
  async requireDevice(device: 'auto' | 'cpu' | 'gpu'): Promise<void> {
    if (device !== 'gpu') return;
    const rows = await this.database.query<unknown[]>(
      `select 1 from workers where pool = 'gpu' and heartbeat_at > now() - interval '${leaseSeconds} seconds' limit 1`,
    );
    if (rows.length > 0) return;
    throw new AppError('no_gpu_worker', 'No GPU worker is alive: start one, or use device auto or cpu.', {
      pointer: '/device',
    });
  }
}
