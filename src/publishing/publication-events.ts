import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TransferEvents } from '../hub/transfer-events.js';
import {
  isTerminal,
  next,
  type PublicationHappening,
  type PublicationState,
  statesBefore,
} from './publication-state.js';

/** What happens to publications. */
@Injectable()
export class PublicationEvents extends TransferEvents<PublicationState, PublicationHappening> {
  constructor(database: DataSource) {
    super(database, {
      ...{ jobs: 'publications', events: 'publication_events', job: 'publication_id' },
      ...{ moving: 'uploading', life: { isTerminal, next, statesBefore } },
    });
  }
}
