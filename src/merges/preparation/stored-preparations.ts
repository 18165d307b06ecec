import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { MergeState } from '../merge-state.js';
import type { MergeRequest } from '../merges.schema.js';
import type { PreparationRequest } from './preparation-request.js';

/** What whoever prepares a merge needs to know of it. */
export interface StoredPreparation {
  id: string;
  state: MergeState;
  namespace: string;
  name: string;
  alias: string | null;
  device: MergeRequest['device'];
  labels: Record<string, string>;
  createdBy: string;
  request: PreparationRequest;
  sealedToken: string | null;
}

@Injectable()
export class StoredPreparations {
  constructor(private readonly database: DataSource) {}

  async get(id: string): Promise<StoredPreparation> {
    const [row] = await this.database.query<StoredPreparation[]>(
      `select m.id, m.state, m.output_namespace as namespace, m.output_name as name, m.output_alias as alias, m.device,
              m.labels, m.created_by as "createdBy", p.request, p.sealed_token as "sealedToken"
       from merges m join merge_preparations p on p.merge_id = m.id where m.id = $1`,
      [id],
    );
    if (!row) throw new Error(`merge ${id} has no preparation`);
    return row;
  }
}
