import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files from memory into a folder, which is made. */
export function writeFolder(directory: string, files: Record<string, Uint8Array>): void {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

/** Every file of a folder, by its path in it. */
export function readFolder(directory: string): Record<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(directory.length + 1), readFileSync(path)]));
}

/** SHA-256 of every file: what tests compare, because jest looks at buffers byte by byte. */
export function digestFolder(directory: string): Record<string, string> {
  const files = Object.entries(readFolder(directory));
  return Object.fromEntries(files.map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
}
