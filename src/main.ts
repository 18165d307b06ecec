import 'reflect-metadata';
import { join } from 'node:path';
import { migrate, serve, work, writeOpenapi } from './bootstrap.js';
import { type Config, loadConfigOrExit, type Role } from './config.js';
import { packageRoot } from './package-root.js';
import { DataDirectoryInUse } from './platform/data-directory.js';

const run: Record<Role, (config: Config) => Promise<unknown>> = {
  all: serve,
  api: serve,
  worker: work,
  migrate,
  openapi: (config) => writeOpenapi(config, join(packageRoot, 'openapi', 'openapi.json')),
};

/** `node dist/src/main.js [ROLE]`: the argument goes before AMALGAM_ROLE. */
async function main(role: string | undefined): Promise<void> {
  const config = loadConfigOrExit(role === undefined ? {} : { AMALGAM_ROLE: role });
  await run[config.role](config);
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof DataDirectoryInUse ? error.message : describe(error)}\n`);
  // The database or a socket may still be open, and nothing else will close it.
  process.exit(1);
});

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
