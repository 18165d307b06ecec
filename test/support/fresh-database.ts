import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPglite } from '../../src/platform/pglite.js';

const cache = fileURLToPath(new URL('../../node_modules/.cache/amalgam', import.meta.url));
/** `npm ci` removes it, so it is never that of another PGlite. */
const template = join(cache, 'fresh-database');

/**
 * Gives a data directory an embedded database without any tables, as its first start would. PGlite takes seconds of
 * processor time to make one: it is made once, and copied. A directory that has a database keeps it.
 */
export async function placeFreshDatabase(dataDirectory: string): Promise<void> {
  const directory = join(dataDirectory, 'database');
  if (existsSync(directory)) return;
  if (!existsSync(template)) await makeTemplate();
  await cp(template, directory, { recursive: true });
}

async function makeTemplate(): Promise<void> {
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  const database = await openPglite(join(draft, 'database'));
  await database.close();
  // Of several tests that make one at the same time, the first one's is kept.
  await rename(join(draft, 'database'), template).catch((error: unknown) => {
    if (!existsSync(template)) throw error;
  });
  await rm(draft, { recursive: true });
}
