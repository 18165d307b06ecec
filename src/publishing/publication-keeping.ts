import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { cancelIfWanted } from './publication-attempt.js';
import { PublicationEvents } from './publication-events.js';
import { PublicationLeases } from './publication-leases.js';

/** What is put right after crashes and cancellations. */
@Injectable()
export class PublicationKeeping {
  constructor(
    private readonly database: DataSource,
    private readonly leases: PublicationLeases,
    private readonly events: PublicationEvents,
  ) {}

  takeOver(): Promise<void> {
    return this.leases.releaseAll();
  }

  /** Ends what nobody works on any more. */
  async sweep(): Promise<void> {
    const wanted = await this.database.query<{ id: string }[]>(
      `select id from publications
       where cancel_requested_at is not null and state not in ('succeeded', 'failed', 'cancelled')`,
    );
    for (const { id } of wanted) {
      await this.events.changing(id, (manager) => cancelIfWanted(manager, this.events, id));
    }
  }
}
