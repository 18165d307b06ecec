import { createHash } from 'node:crypto';
import { type Checkpoint, type CheckpointFiles, inspectOffThread, plannedFiles } from '../engine/index.js';
import type { SourceModel } from '../imports/import-sources.js';
import type { ClosureMember } from '../licences/version-closures.service.js';
import { objectFiles } from '../models/object-files.js';
import { manifestDigest } from '../models/manifest.js';
import { sourceName } from '../models/names.js';
import type { ResolvedVersion } from '../models/versions.service.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MergePlan } from './engine.js';

/** A model that a recipe names, at what it means now, as far as a plan needs it. */
export interface MergeInput {
  /** What the pinned recipe calls it: namespace/name@version; while it is not in the registry, its source or its stage. */
  name: string;
  digest: string;
  licence: string | null;
  files: CheckpointFiles;
  /** Where it was read already. */
  checkpoint?: Checkpoint;
  /** Null: it has to be fetched or merged first. */
  versionId: string | null;
  /** `hf:org/name@commit` of what came from there. */
  hubSource?: string | null;
  /** Of a stage. */
  madeFrom?: readonly MergeInput[];
  /** Where it is fetched from, pinned, and how much that is. */
  source?: { text: string; bytes: number };
}

export function registryInput(store: ObjectStore, version: ResolvedVersion): MergeInput {
  const { id, namespace, name, version: number, digest, licence, hubSource, files } = version;
  return {
    name: `${namespace}/${name}@${number}`,
    digest,
    licence,
    files: objectFiles(store, files),
    versionId: id,
    hubSource,
  };
}

/** A model that has yet to be imported. Of the Hub its digest is that of the version which the import will make. */
export async function sourceInput(model: SourceModel): Promise<MergeInput> {
  const { plan, files, checkpoint } = model;
  // A folder of a bucket has no name for what it is now.
  const name = sourceName(plan.repository);
  const text = name === plan.repository ? name : `${name}@${plan.commit}`;
  const bytes = plan.files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    name: text,
    digest: await digestOf(model),
    licence: null,
    files,
    checkpoint,
    versionId: null,
    source: { text, bytes },
  };
}

/** The result of a stage that is planned, and not there yet. */
export async function stageInput(
  name: string,
  plan: MergePlan,
  models: ReadonlyMap<string, MergeInput>,
): Promise<MergeInput> {
  const byName = new Map([...models.values()].map((model) => [model.name, model]));
  const madeFrom = plan.inputs.flatMap(({ reference }) => byName.get(reference) ?? []);
  const files = plannedFiles(
    plan,
    madeFrom.map((model) => model.files),
  );
  const checkpoint = await inspectOffThread(files);
  return { name, digest: plan.digest, licence: null, files, checkpoint, versionId: null, madeFrom };
}

/**
 * Files outside the Hub's large store are small and have no SHA-256 of their own: they are read. Of an object of a bucket
 * where it is and its ETag stand in its place, until the import has hashed it.
 */
async function digestOf({ plan, files }: SourceModel): Promise<string> {
  const manifest = plan.files.map(async (file) => {
    const { path, bytes } = file;
    if ('etag' in file) return { path, bytes, sha256: sha256Of(Buffer.from(`${plan.repository} ${file.etag}`)) };
    return { path, bytes, sha256: file.sha256 ?? sha256Of(await files.read(path, 0, bytes)) };
  });
  return manifestDigest(await Promise.all(manifest));
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What the licences of models are read from; of a stage, those of what it is made from. */
export function licenceMembers(models: readonly MergeInput[]): ClosureMember[] {
  const members = models.flatMap((model): ClosureMember[] => {
    if (model.madeFrom) return licenceMembers(model.madeFrom);
    return [model.versionId ?? { name: model.name, files: model.files }];
  });
  return [...new Map(members.map((member) => [typeof member === 'string' ? member : member.name, member])).values()];
}
