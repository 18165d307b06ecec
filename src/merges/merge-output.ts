import { sharedLicence } from '../cards/model-card.js';
import type { NewVersion, StoredFile } from '../models/versions.service.js';
import { architectureOf, dtypesOf, type MergePlan, modelTypeOf } from './engine.js';
import type { PinnedInput } from './merges.schema.js';

export interface MergeOutput {
  mergeId: string;
  namespace: string;
  name: string;
  createdBy: string;
  plan: MergePlan;
  /** In the order of the recipe. */
  inputs: readonly PinnedInput[];
  files: readonly StoredFile[];
}

/** The version that a merge makes: what it consists of, what it is, and where it comes from. */
export function versionOf({ mergeId, namespace, name, createdBy, plan, inputs, files }: MergeOutput): NewVersion {
  return {
    namespace,
    name,
    files,
    origin: 'merge',
    mergeId,
    createdBy,
    parents: inputs.map(({ versionId: id, role, reference }) => ({ id, role, reference })),
    metadata: {
      architecture: architectureOf(plan),
      modelType: modelTypeOf(plan),
      parameterCount: plan.parameterCount,
      dtypes: dtypesOf(plan),
      licence: sharedLicence(inputs.map(({ licence }) => (licence === null ? {} : { licence }))),
    },
  };
}
