import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StoredTransfers } from '../hub/stored-transfers.js';
import type { JobClaim } from '../platform/job-leases.js';
import { PublicationEvents } from './publication-events.js';
import { PublicationLeases } from './publication-leases.js';
import type { PublicationPlan } from './publication-plan.js';
import type { Found } from './publication-rows.js';
import type { PublicationHappening, PublicationState } from './publication-state.js';
import type { PublicationOptions } from './publications.schema.js';

/** What whoever carries out a publication needs to know of it, and writes down of it. */
export interface StoredPublication {
  id: string;
  state: PublicationState;
  versionId: string;
  /** `team/model@3`. */
  version: string;
  namespace: string;
  /** `org/name`, as it was asked for. */
  repository: string;
  revision: string;
  options: PublicationOptions;
  sealedToken: string | null;
  plan: PublicationPlan | null;
  found: Found;
  createdBy: string;
}

/** Reads and writes of an attempt. Every write names the attempt and throws JobLost when that has lost the row. */
@Injectable()
export class StoredPublications extends StoredTransfers<PublicationState, PublicationHappening> {
  constructor(
    private readonly database: DataSource,
    leases: PublicationLeases,
    events: PublicationEvents,
  ) {
    super(leases, events);
  }

  async get(id: string): Promise<StoredPublication> {
    const [row] = await this.database.query<StoredPublication[]>(
      `select p.id, p.state, p.version_id as "versionId", m.namespace, p.repository, p.revision, p.options,
              m.namespace || '/' || m.name || '@' || v.version as version, p.sealed_token as "sealedToken", p.plan,
              p.found, p.created_by as "createdBy"
       from publications p join versions v on v.id = p.version_id join models m on m.id = v.model_id where p.id = $1`,
      [id],
    );
    if (!row) throw new Error(`publication ${id} is not there`);
    return row;
  }

  /** Remembers what was found or is about to be made. */
  async find(claim: JobClaim, publication: StoredPublication, found: Found): Promise<void> {
    const all = { ...publication.found, ...found };
    await this.database.transaction(async (manager) => {
      await this.leases.lock(manager, claim);
      await manager.query('update publications set found = $2 where id = $1', [claim.id, JSON.stringify(all)]);
    });
    publication.found = all;
  }

  /** Writes the plan down, with the objects that have to be sent; those that were sent before stay sent. */
  async plan(claim: JobClaim, plan: PublicationPlan): Promise<void> {
    const large = new Map(plan.files.filter(({ mode }) => mode === 'lfs').map((file) => [file.sha256, file.bytes]));
    const objects = [...large].map(([sha256, bytes]) => ({ sha256, bytes }));
    const totalBytes = objects.reduce((sum, { bytes }) => sum + bytes, 0);
    const data = { files: plan.files.length, bytesTotal: totalBytes };
    await this.move(claim, 'upload', data, async (manager) => {
      await manager.query('update publications set plan = $2, total_bytes = $3 where id = $1', [
        claim.id,
        JSON.stringify(plan),
        totalBytes,
      ]);
      await manager.query('delete from publication_files where publication_id = $1 and not (sha256 = any($2))', [
        claim.id,
        objects.map(({ sha256 }) => sha256),
      ]);
      await manager.query(
        `insert into publication_files (publication_id, sha256, bytes)
         select $1, o.sha256, o.bytes from jsonb_to_recordset($2) as o (sha256 text, bytes bigint) on conflict do nothing`,
        [claim.id, JSON.stringify(objects)],
      );
    });
  }

  /** Paths that earlier publications brought to the same place. */
  async listEarlierPaths({ id, repository, revision }: StoredPublication): Promise<Set<string>> {
    const rows = await this.database.query<{ path: string }[]>(
      `select distinct f ->> 'path' as path from publications p, json_array_elements(p.plan -> 'files') f
       where p.repository = $1 and p.revision = $2 and p.id <> $3 and p.state = 'succeeded' and p.plan is not null`,
      [repository, revision, id],
    );
    return new Set(rows.map(({ path }) => path));
  }
}
