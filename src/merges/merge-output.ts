import type { NewVersion, StoredFile } from '../models/versions.service.js';
import { architectureOf, dtypesOf, type MergePlan, modelTypeOf } from './engine.js';
import type { SettledPlan } from './version-inputs.js';

export interface MergeOutput {
  mergeId: string;
  namespace: string;
  name: string;
  createdBy: string;
  plan: MergePlan;
  summary: SettledPlan;
  files: readonly StoredFile[];
}

/** The version that a merge makes: what it consists of, what it is, and where it comes from. */
export function versionOf({ mergeId, namespace, name, createdBy, plan, summary, files }: MergeOutput): NewVersion {
  return {
    namespace,
    name,
    files,
    origin: 'merge',
    mergeId,
    createdBy,
    parents: summary.inputs.map(({ versionId: id, role, reference }) => ({ id, role, reference })),
    metadata: {
      architecture: architectureOf(plan),
      modelType: modelTypeOf(plan),
      parameterCount: plan.parameterCount,
      dtypes: dtypesOf(plan),
      licence: summary.licence && licenceId(summary.licence),
    },
  };
}

/** As an upload would state it; undefined when nothing holds for the whole. */
function licenceId({
  resultLicence,
  licenceName = 'unnamed',
}: NonNullable<SettledPlan['licence']>): string | undefined {
  if (resultLicence === '-') return undefined;
  return resultLicence === 'other' ? `other:${licenceName}` : resultLicence;
}
