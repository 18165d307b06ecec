import { createHash } from 'node:crypto';
import type { StoredFile } from '../models/versions.service.js';
import type { HubFile, UploadMode } from '../hub/hub-repository.js';

/** A file as it will be on the Hub. Its bytes are the text here, or those of the version's file of the same path. */
export interface PlannedFile {
  path: string;
  bytes: number;
  sha256: string;
  text?: string;
  /** Once the Hub was asked. */
  mode?: UploadMode;
}

/** What is sent, written down before the first byte goes: whoever goes on after a crash sends exactly the same. */
export interface PublicationPlan {
  /** `team/model@3`. */
  version: string;
  files: PlannedFile[];
}

/** The files of a version, with texts in the place of files of the same path, or beside them. In order of their paths. */
export function planFiles(files: readonly StoredFile[], texts: ReadonlyMap<string, string>): PlannedFile[] {
  const stored = files
    .filter(({ path }) => !texts.has(path))
    .map(({ path, bytes, sha256 }): PlannedFile => ({ path, bytes, sha256 }));
  const written = [...texts].map(([path, text]): PlannedFile => {
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { path, bytes: Buffer.byteLength(text), sha256, text };
  });
  return [...stored, ...written].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Git's name of a file's bytes. */
export function gitOid(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}

/**
 * Whether the Hub's file has these bytes.
 * @param read the whole file; asked for only when it is small and has the same size
 */
export async function hasBytesOf(
  there: HubFile | undefined,
  file: PlannedFile,
  read: (file: PlannedFile) => Promise<Buffer>,
): Promise<boolean> {
  if (there?.bytes !== file.bytes) return false;
  if (there.sha256 !== undefined) return there.sha256 === file.sha256;
  return there.gitOid === gitOid(await read(file));
}

const weights = /(?:\.safetensors|\.safetensors\.index\.json)$/;
/** Of the same files in another format: whoever prefers them would load another model. */
const otherWeights = /^(?:pytorch_model|model|tf_model|flax_model)[^/]*\.(?:bin|h5|msgpack|index\.json)$/;

/**
 * Files there that would make another model of ours: weights that are not ours, and what an earlier publication brought
 * and this version does not have. People's own files stay.
 */
export function staleFiles(
  there: readonly HubFile[],
  plan: readonly PlannedFile[],
  earlier: ReadonlySet<string>,
): string[] {
  const ours = new Set(plan.map(({ path }) => path));
  return there
    .map(({ path }) => path)
    .filter((path) => !ours.has(path) && (weights.test(path) || otherWeights.test(path) || earlier.has(path)));
}
