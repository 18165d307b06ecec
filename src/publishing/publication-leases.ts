import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inStates, JobLeases } from '../platform/job-leases.js';
import { workStates } from './publication-state.js';

/** That nothing that was asked for before goes to the same repository: two versions arrive in their order. */
const isFirst = `not exists (
  select 1 from publications other where other.repository = job.repository and ${inStates(workStates, 'other')}
    and (other.created_at, other.id) < (job.created_at, job.id))`;

/** Who works on which publication: the oldest goes first, of each repository one at a time. */
@Injectable()
export class PublicationLeases extends JobLeases {
  constructor(database: DataSource) {
    super(database, {
      ...{ table: 'publications', name: 'publication' },
      hasWork: `${inStates(workStates)} and ${isFirst}`,
    });
  }
}
