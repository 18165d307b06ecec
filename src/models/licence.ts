import type { ObjectStore } from '../storage/object-store.js';
import { objectFiles } from './object-files.js';
import type { StoredFile } from './versions.service.js';

/** The front matter of a model card comes first and is short. */
const frontMatterBytes = 16_384;

/** The licence that a README's front matter names, in the Hub's spelling (`apache-2.0`); undefined without one. */
export async function readLicence(store: ObjectStore, files: readonly StoredFile[]): Promise<string | undefined> {
  const readme = files.find(({ path }) => path === 'README.md');
  if (!readme) return undefined;
  const length = Math.min(readme.bytes, frontMatterBytes);
  const text = Buffer.from(await objectFiles(store, files).read(readme.path, 0, length)).toString('utf8');
  return licenceOf(text);
}

/**
 * Looks for the one line instead of parsing YAML: a card is free text that strangers wrote, and a licence that cannot
 * be read is not worth refusing a model.
 */
export function licenceOf(readme: string): string | undefined {
  const lines = readme.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trim() !== '---') return undefined;
  const end = lines.findIndex((line, at) => at > 0 && line.trim() === '---');
  const value = (key: string) =>
    lines
      .slice(1, end === -1 ? 0 : end)
      .map(
        (line) => new RegExp(`^${key}:\\s*["']?([A-Za-z0-9][A-Za-z0-9._+-]{0,63})["']?\\s*(?:#.*)?$`).exec(line)?.[1],
      )
      .find((found) => found !== undefined);
  const licence = value('license');
  return licence === 'other' ? (value('license_name') ?? licence) : licence;
}
