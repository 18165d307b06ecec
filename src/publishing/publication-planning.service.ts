import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../errors.js';
import type { ObligationFiles } from '../licences/obligation-files.js';
import { hasNamePrefix } from '../licences/obligation-files.js';
import type { VersionLicence } from '../licences/licences.schema.js';
import { LicencesService } from '../licences/licences.service.js';
import { VersionsService } from '../models/versions.service.js';
import { planFiles, type PublicationPlan } from './publication-plan.js';

export interface Wanted {
  versionId: string;
  /** `team/model@3`. */
  version: string;
  /** `org/name`. */
  repository: string;
}

/** What a publication consists of, and whether it may be. */
@Injectable()
export class PublicationPlanning {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    private readonly licences: LicencesService,
  ) {}

  /** @throws AppError as `require` */
  async plan(wanted: Wanted): Promise<PublicationPlan> {
    const licence = await this.licences.assess(wanted.version);
    const duties = await this.licences.obligationFiles(wanted.version);
    requireLicence(licence, duties, wanted.repository);
    return this.planUnchecked(wanted, duties);
  }

  /** The same whatever the verdict is, for whoever only wants to look. */
  async preview(wanted: Wanted): Promise<{ licence: VersionLicence; plan: PublicationPlan }> {
    const licence = await this.licences.assess(wanted.version);
    const duties = await this.licences.obligationFiles(wanted.version);
    return { licence, plan: await this.planUnchecked(wanted, duties) };
  }

  private async planUnchecked({ versionId, version }: Wanted, duties: ObligationFiles): Promise<PublicationPlan> {
    const files = await this.versions.listFiles(this.database.manager, versionId);
    const texts = new Map<string, string>(duties.files.map(({ path, text }) => [path, text]));
    return { version, files: planFiles(files, texts) };
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
