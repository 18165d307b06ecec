import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environmentOf } from './environment.js';

const of = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** `npm ci` removes it, so what is there is never that of another PGlite. */
const cache = of('node_modules/.cache/amalgam');

/**
 * Gives a data directory an embedded database with its tables and no rows, as its first start would. PGlite takes seconds
 * of processor time for that: it is done once for these migrations, and copied. A directory that has a database keeps it.
 */
export async function placeFreshDatabase(dataDirectory: string): Promise<void> {
  const directory = join(dataDirectory, 'database');
  if (existsSync(directory)) return;
  const template = join(cache, `database-${migrationsDigest()}`);
  if (!existsSync(template)) await makeTemplate(template);
  // The asynchronous one takes a second for a thousand files.
  cpSync(template, directory, { recursive: true });
}

function migrationsDigest(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(of('migrations')).sort()) hash.update(readFileSync(of(`migrations/${name}`)));
  return hash.digest('hex').slice(0, 12);
}

async function makeTemplate(template: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  const env = environmentOf({ AMALGAM_DATA_DIR: draft });
  await promisify(execFile)(process.execPath, [of('dist/src/main.js'), 'migrate'], { env });
  // Of several tests that make one at the same time, the first one's is kept.
  await rename(join(draft, 'database'), template).catch((error: unknown) => {
    if (!existsSync(template)) throw error;
  });
  await rm(draft, { recursive: true });
}
