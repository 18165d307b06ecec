import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { VersionsService } from '../models/versions.service.js';
import { type Assessment, type AssessmentOptions, assess } from './assess.js';
import { type LicenceSource, type ObligationFiles, obligationFiles } from './obligation-files.js';
import { LicenceStatements } from './licence-statements.service.js';
import type { LicenceApproval, VersionLicence } from './licences.schema.js';
import { type ClosureMember, VersionClosures } from './version-closures.service.js';

interface ApprovalRecord {
  id: string;
  approved_by: string;
  reason: string;
  created_at: Date;
}

/** What may be published, and what has to be done for it. */
@Injectable()
export class LicencesService {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    private readonly closures: VersionClosures,
    private readonly statements: LicenceStatements,
  ) {}

  /**
   * The verdict on publishing a version, over all its ancestors.
   * @param reference `team/model@3`, `team/model@alias` or `team/model`
   * @throws AppError reference_invalid, model_not_found, version_not_found
   */
  async assess(reference: string, options: AssessmentOptions = {}): Promise<VersionLicence> {
    const { id, namespace, name, version } = await this.versions.identify(reference);
    const { closure } = await this.closures.of([id]);
    const found = assess(closure, options);
    return this.#answer(this.database.manager, `${namespace}/${name}@${version}`, id, found);
  }

  /** The same for a merge of these versions and models, before there is a version of it. */
  async assessMergeOf(members: readonly ClosureMember[]): Promise<Assessment> {
    const { closure } = await this.closures.of(members);
    return assess(closure);
  }

  /**
   * LICENSE, NOTICE, credit lines and name prefix that carry the obligations of a version out.
   * @throws AppError reference_invalid, model_not_found, version_not_found
   */
  async obligationFiles(reference: string, options: AssessmentOptions = {}): Promise<ObligationFiles> {
    const { id } = await this.versions.identify(reference);
    const { closure, versionIds } = await this.closures.of([id]);
    const sources: LicenceSource[] = [];
    for (const versionId of versionIds) sources.push(...(await this.statements.texts(versionId)));
    return obligationFiles(assess(closure, options), closure, sources);
  }

  /**
   * Lifts `needs-approval` from this version, as it is judged now: when a further ancestor comes to light, it counts no more.
   * @throws AppError approval_not_needed, approval_not_possible, and those of `assess`
   */
  async approve(
    reference: string,
    { reason }: { reason: string },
    approvedBy: string,
    commit: Commit<VersionLicence>,
  ): Promise<VersionLicence> {
    const { id, namespace, name, version } = await this.versions.identify(reference);
    const { closure } = await this.closures.of([id]);
    const found = assess(closure);
    if (found.verdict === 'deny')
      throw new AppError('approval_not_possible', found.why, { extra: { paths: found.paths } });
    if (found.verdict !== 'needs-approval') {
      throw new AppError('approval_not_needed', `The verdict is ${found.verdict}: it may be published as it is.`);
    }
    return commit(async (manager) => {
      await manager.query(
        `insert into licence_approvals (id, version_id, assessment, reason, approved_by) values ($1, $2, $3, $4, $5)`,
        [randomUUID(), id, digestOf(found), reason, approvedBy],
      );
      return this.#answer(manager, `${namespace}/${name}@${version}`, id, found);
    });
  }

  async #answer(manager: EntityManager, version: string, id: string, found: Assessment): Promise<VersionLicence> {
    const { verdict } = found;
    const approval = verdict === 'needs-approval' ? await findApproval(manager, id, digestOf(found)) : null;
    const mayPublish = verdict !== 'deny' && (verdict !== 'needs-approval' || approval !== null);
    return { version, ...found, approval, mayPublish };
  }
}

async function findApproval(
  manager: EntityManager,
  versionId: string,
  digest: string,
): Promise<LicenceApproval | null> {
  const [row] = await manager.query<ApprovalRecord[]>(
    `select id, approved_by, reason, created_at from licence_approvals
     where version_id = $1 and assessment = $2 order by created_at desc, id limit 1`,
    [versionId, digest],
  );
  if (!row) return null;
  const { id, approved_by: approvedBy, reason, created_at: createdAt } = row;
  return { id, approvedBy, reason, createdAt: createdAt.toISOString() };
}

/** Of everything that a person was shown. */
function digestOf({ verdict, resultLicence, licenceName, obligations, why }: Assessment): string {
  const shown = JSON.stringify([verdict, resultLicence, licenceName ?? null, obligations, why]);
  return createHash('sha256').update(shown).digest('hex');
}
