import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { RegistryWatchers } from '../models/registry-watchers.js';
import { findTwinPublication, insertPublication } from './new-publication.js';
import { PublicationEvents } from './publication-events.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import type { PublicationOptions } from './publications.schema.js';

/** Publication of what a merge makes, as it came with the request for the merge. */
export interface WantedPublication {
  /** `hf:org/name`. */
  repository: string;
  token: string | undefined;
}

const plain: PublicationOptions = { createPr: false };

/** Publications that wait for a merge. They are written down with the merge, so that neither can be lost alone. */
@Injectable()
export class MergePublications implements OnModuleInit {
  constructor(
    private readonly watchers: RegistryWatchers,
    private readonly events: PublicationEvents,
    private readonly tokens: HubTokens,
  ) {}

  onModuleInit(): void {
    this.watchers.watchVersions(async (manager, { mergeId, versionId }) => {
      if (mergeId !== undefined) await this.release(manager, mergeId, versionId);
    });
  }

  /**
   * Inside the transaction that takes the merge in. One whose result is there already is published at once.
   * @throws AppError hub_token_missing, secrets_unavailable
   */
  async add(
    manager: EntityManager,
    mergeId: string,
    { repository, token }: WantedPublication,
    createdBy: string,
  ): Promise<void> {
    const id = randomUUID();
    const [merge] = await manager.query<{ namespace: string; version: string | null }[]>(
      `select m.output_namespace as namespace, v.id as version
       from merges m left join versions v on v.merge_id = m.id where m.id = $1`,
      [mergeId],
    );
    if (!merge) throw new Error(`merge ${mergeId} is not there`);
    const publication = {
      ...{ id, mergeId, createdBy, revision: 'main', options: plain, repository: repository.replace(/^hf:/, '') },
      ...(merge.version !== null && { versionId: merge.version }),
      sealedToken: await this.tokens.seal(`publication ${id}`, token, merge.namespace, manager),
    };
    if ((await findTwinPublication(manager, publication)) === undefined) await insertPublication(manager, publication);
  }

  /** Inside the transaction that makes the version of the merge visible, or finds that it is there already. */
  async release(manager: EntityManager, mergeId: string, versionId: string): Promise<void> {
    const rows = await manager.query<{ id: string }[]>(
      `select id from publications where merge_id = $1 and state = 'waiting' for update`,
      [mergeId],
    );
    for (const { id } of rows) {
      await manager.query('update publications set version_id = $2 where id = $1', [id, versionId]);
      await this.events.move(manager, id, 'release');
    }
  }
}
