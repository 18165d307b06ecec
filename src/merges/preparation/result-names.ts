import { findHubReference } from '../../hub/hub-reference.js';

/** Where imports for merges lie in the registry. */
const importNamespace = 'hf';
const longestName = 96;

/** The model of the registry that a model of the Hub becomes: `hf:org/name@commit` is a version of `hf/org--name`. */
export function importTarget(source: string): string {
  const reference = findHubReference(source);
  if (!reference) throw new Error(`${source} is no source of imports`);
  return `${importNamespace}/${fitting(reference.repository.replace('/', '--'))}`;
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
