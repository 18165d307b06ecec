import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../errors.js';
import { CardsService } from '../cards/cards.service.js';
import { hasNamePrefix, type ObligationFiles } from '../licences/obligation-files.js';
import type { VersionLicence } from '../licences/licences.schema.js';
import { LicencesService } from '../licences/licences.service.js';
import { VersionsService } from '../models/versions.service.js';
import { parseReference } from '../models/names.js';
import { cardFile, publishedCard } from './publication-card.js';
import { planFiles, type PublicationPlan } from './publication-plan.js';

export interface Wanted {
  versionId: string;
  /** `team/model@3`. */
  version: string;
  /** `org/name`. */
  repository: string;
}

export interface Preview {
  licence: VersionLicence;
  duties: ObligationFiles;
  plan: PublicationPlan;
}

/** What a publication consists of, and whether it may be. */
@Injectable()
export class PublicationPlanning {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    private readonly licences: LicencesService,
    private readonly cards: CardsService,
  ) {}

  /** @throws AppError as `requireLicence` */
  async plan(wanted: Wanted): Promise<PublicationPlan> {
    const { licence, duties, plan } = await this.preview(wanted);
    requireLicence(licence, duties, wanted.repository);
    return plan;
  }

  /** The same whatever the verdict is, for whoever only wants to look. */
  async preview({ versionId, version }: Wanted): Promise<Preview> {
    const licence = await this.licences.assess(version);
    const duties = await this.licences.obligationFiles(version);
    const files = await this.versions.listFiles(this.database.manager, versionId);
    const texts = new Map<string, string>(duties.files.map(({ path, text }) => [path, text]));
    const card = files.some(({ path }) => path === cardFile) ? await this.#readCard(version) : undefined;
    texts.set(cardFile, publishedCard(card, licence, duties.creditLines, version.split('@')[0] ?? ''));
    return { licence, duties, plan: { version, files: planFiles(files, texts) } };
  }

  /** With what is known since it was written. */
  async #readCard(reference: string): Promise<string> {
    const { namespace, name, revision: version } = parseReference(reference);
    const { content } = await this.cards.open({ namespace, name, version });
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }
}

/**
 * The gate before anything is sent.
 * @throws AppError licence_denied, licence_approval_required, licence_text_missing, name_prefix_required
 */
function requireLicence(licence: VersionLicence, duties: ObligationFiles, repository: string): void {
  const { version, verdict, why, paths } = licence;
  if (verdict === 'deny') throw new AppError('licence_denied', why, { pointer: '/version', extra: { paths } });
  if (!licence.mayPublish) {
    const detail = `${why} Whoever may decide that approves ${version} first.`;
    throw new AppError('licence_approval_required', detail, { pointer: '/version', extra: { paths } });
  }
  if (duties.missingTexts.length > 0) {
    const names = duties.missingTexts.join(', ');
    throw new AppError('licence_text_missing', `No model in it has the text of ${names}, which must go along.`, {
      pointer: '/version',
    });
  }
  const name = repository.split('/')[1] ?? '';
  if (duties.namePrefix !== undefined && !hasNamePrefix(name, duties.namePrefix)) {
    const detail = `A licence in it asks for a name that begins with ${JSON.stringify(duties.namePrefix)}.`;
    throw new AppError('name_prefix_required', detail, { pointer: '/repository' });
  }
}
