import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TransferEvents } from '../hub/transfer-events.js';
import { type ImportHappening, type ImportState, isTerminal, next, statesBefore } from './import-state.js';

/** What happens to imports. */
@Injectable()
export class ImportEvents extends TransferEvents<ImportState, ImportHappening> {
  constructor(database: DataSource) {
    super(database, {
      ...{ jobs: 'imports', events: 'import_events', job: 'import_id' },
      ...{ moving: 'fetching', life: { isTerminal, next, statesBefore } },
    });
  }
}
