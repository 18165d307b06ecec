import { createHash } from 'node:crypto';
import { findHubReference } from '../../hub/hub-reference.js';
import { findS3Reference, formatS3Reference, type S3Reference } from '../../storage/s3-reference.js';

/** Where imports for merges lie in the registry. */
const importNamespace = 'hf';
const longestName = 96;

/**
 * The model of the registry that a source becomes: `hf:org/name@commit` a version of `hf/org--name`, `s3://bucket/prefix`
 * one of the namespace for which it may be read.
 * @param namespace of the merge
 */
export function importTarget(source: string, namespace: string): string {
  const bucket = findS3Reference(source);
  if (bucket) return `${namespace}/${nameOf(bucket)}`;
  const reference = findHubReference(source);
  if (!reference) throw new Error(`${source} is no source of imports`);
  return `${importNamespace}/${fitting(reference.repository.replace('/', '--'))}`;
}

/** With the folder's own name at its beginning, and told apart from others of that name. */
function nameOf(reference: S3Reference): string {
  const folder = (reference.prefix.split('/').at(-1) || reference.bucket).replaceAll(/[^A-Za-z0-9_-]+/g, '-');
  const digest = createHash('sha256').update(formatS3Reference(reference)).digest('hex').slice(0, 8);
  return `${fitting(folder.replace(/^[-_]+/, '').slice(0, 80)) || 'model'}-${digest}`;
}

/** The model that a stage's result becomes a version of: `merged` and `average` give `merged.average`. */
export function stageModel(output: string, stage: string): string {
  const name = stage.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'stage';
  return fitting(`${output}.${name}`);
}

/** Names are 96 characters at most, and do not end with a dot. */
function fitting(name: string): string {
  return name.slice(0, longestName).replace(/[.-]+$/, '');
}
