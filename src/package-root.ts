import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: where samples and the OpenAPI document lie, seen from sources and from a build alike. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

export const packageVersion = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error('package.json is missing: the installation is incomplete.');
  return findRoot(dirname(folder));
}
