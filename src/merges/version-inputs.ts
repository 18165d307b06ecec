import type { PinnedInput, Plan } from './merges.schema.js';

export type VersionInput = PinnedInput & { versionId: string };

/** A plan all of whose inputs are in the registry: it can be carried out. */
export type SettledPlan = Omit<Plan, 'inputs'> & { inputs: VersionInput[] };

/** @throws Error when an input has yet to be fetched or merged */
export function settled(plan: Plan): SettledPlan {
  return { ...plan, inputs: versionInputs(plan.inputs) };
}

export function versionInputs(inputs: readonly PinnedInput[]): VersionInput[] {
  return inputs.map(({ versionId, ...input }) => {
    if (versionId === null) throw new Error(`${input.version} is not in the registry yet`);
    return { ...input, versionId };
  });
}
