import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inStates, JobLeases } from '../platform/job-leases.js';
import { workStates } from './import-state.js';

/** Who works on which import: the oldest goes first. */
@Injectable()
export class ImportLeases extends JobLeases {
  constructor(database: DataSource) {
    super(database, { table: 'imports', name: 'import', hasWork: inStates(workStates) });
  }
}
