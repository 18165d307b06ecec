import type { EntityManager } from 'typeorm';
import type { JobClaim, JobLeases } from '../platform/job-leases.js';
import type { TransferEvents } from './transfer-events.js';

/** Writes of an attempt at a transfer. Every write names the attempt and throws JobLost when that has lost the row. */
export abstract class StoredTransfers<State extends string, Happening extends string> {
  constructor(
    protected readonly leases: JobLeases,
    protected readonly events: TransferEvents<State, Happening>,
  ) {}

  /** Moves it on, with what belongs to the new state. */
  async move(
    claim: JobClaim,
    happening: Happening,
    data: object = {},
    also: (manager: EntityManager) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    await this.events.changing(claim.id, async (manager) => {
      await this.leases.lock(manager, claim);
      await also(manager);
      await this.events.move(manager, claim.id, happening, data);
    });
  }
}
