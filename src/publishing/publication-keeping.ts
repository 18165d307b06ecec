import { Injectable } from '@nestjs/common';
import { HubTransport } from '../hub/hub-transport.js';
import { cancelIfWanted } from './publication-attempt.js';
import { PublicationEvents } from './publication-events.js';
import { PublicationLeases } from './publication-leases.js';

/** What is put right after crashes. */
@Injectable()
export class PublicationKeeping {
  constructor(
    private readonly leases: PublicationLeases,
    private readonly events: PublicationEvents,
    private readonly transport: HubTransport,
  ) {}

  takeOver(): Promise<void> {
    return this.leases.releaseAll();
  }

  async finishCancelled(id: string): Promise<void> {
    await this.events.changing(id, (manager) => cancelIfWanted(manager, this.events, id));
  }

  close(): void {
    this.transport.close();
  }
}
