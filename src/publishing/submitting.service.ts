import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { type ResolvedVersion, VersionsService } from '../models/versions.service.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { findTwinPublication, insertPublication, type NewPublication } from './new-publication.js';
import { PublicationLoop } from './publication-loop.js';
import { PublicationPlanning } from './publication-planning.service.js';
import { findPublication } from './publication-rows.js';
import type { Publication, PublicationOptions, PublicationRequest } from './publications.schema.js';

/** Takes publications in: once one is answered, it is written down and cannot be lost. */
@Injectable()
export class SubmittingService {
  constructor(
    private readonly versions: VersionsService,
    private readonly planning: PublicationPlanning,
    private readonly tokens: HubTokens,
    private readonly loop: PublicationLoop,
  ) {}

  /**
   * Writes a publication down in the transaction that `commit` runs, or finds its living twin.
   * @param token of the Hub, as it came with the request
   * @throws AppError those of references, licence_denied, licence_approval_required, name_prefix_required,
   * hub_token_missing, secrets_unavailable
   */
  async submit(
    request: PublicationRequest,
    token: string | undefined,
    createdBy: string,
    commit: Commit<Publication>,
  ): Promise<Publication> {
    const { id: versionId, namespace, name, version } = await this.resolve(request.version);
    const place = placeOf(request);
    await this.planning.plan({ versionId, version: `${namespace}/${name}@${version}`, repository: place.repository });
    const id = randomUUID();
    const publication: NewPublication = {
      ...{ id, versionId, createdBy, ...place },
      sealedToken: await this.tokens.seal(`publication ${id}`, token, namespace),
    };
    const answer = await commit(async (manager) => {
      const twin = await findTwinPublication(manager, publication);
      const found = await findPublication(manager, twin ?? (await insertPublication(manager, publication)));
      if (!found) throw new AppError('publication_not_found', 'The publication has just been deleted.');
      return found;
    });
    this.loop.wakeSoon();
    return answer;
  }

  /** @throws AppError those of references, pointing into the request */
  async resolve(reference: string): Promise<ResolvedVersion> {
    try {
      return await this.versions.resolveReference(reference);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, error.message, { ...error.options, pointer: '/version' });
    }
  }
}

/** Where a publication goes, `repository` as the Hub writes it, and what it does there, without what was not said. */
export function placeOf(request: Omit<PublicationRequest, 'version' | 'dryRun'>): {
  repository: string;
  revision: string;
  options: PublicationOptions;
} {
  const { repository, revision, visibility, gated, createPr, tag } = request;
  const options = {
    ...(visibility && { visibility }),
    ...(gated !== undefined && { gated }),
    createPr,
    ...(tag !== undefined && { tag }),
  };
  return { repository: repository.replace(/^hf:/, ''), revision, options };
}
