import { createHash } from 'node:crypto';

export interface ManifestFile {
  path: string;
  sha256: string;
  bytes: number;
}

/**
 * SHA-256 over the files' paths, digests and sizes in the order of their paths: what a version is, and nothing about
 * where, when and by whom it was made.
 */
export function manifestDigest(files: readonly ManifestFile[]): string {
  const lines = [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, sha256, bytes }) => `${sha256} ${bytes} ${path}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}
