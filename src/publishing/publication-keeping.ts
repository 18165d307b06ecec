import { Injectable } from '@nestjs/common';
import { PublicationEvents } from './publication-events.js';
import { PublicationLeases } from './publication-leases.js';

/** What is put right after crashes and cancellations. */
@Injectable()
export class PublicationKeeping {
  constructor(
    private readonly leases: PublicationLeases,
    private readonly events: PublicationEvents,
  ) {}

  takeOver(): Promise<void> {
    return this.leases.releaseAll();
  }

  /** Ends what nobody works on any more. */
  sweep(): Promise<void> {
    return this.events.cancelAllWanted();
  }
}
