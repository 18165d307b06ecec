import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the newest release of npm's `node` package. @returns path of its program */
export function installNewestNode(directory: string): string {
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  // npm's `node` only chooses a package of this machine's kind, in a script; that one holds the program.
  const wanted = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@latest`;
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', wanted], { cwd: directory });
  const program = join(directory, 'node_modules', wanted.replace(/@.*/, ''), 'bin/node');
  chmodSync(program, 0o755);
  return program;
}
