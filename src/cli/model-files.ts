import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { localDirectory } from '../engine/index.js';
import { checkStoredPath } from '../models/names.js';

export interface ModelFile {
  /** In the model, with `/` between folders. */
  path: string;
  bytes: number;
}

export interface HashedFile extends ModelFile {
  /** Hex. */
  sha256: string;
}

/**
 * The files of a directory that a service stores, and why it would refuse the others (programs, pickles, hidden files).
 * @throws EngineError when the directory cannot be listed
 */
export async function listModelFiles(
  directory: string,
): Promise<{ files: ModelFile[]; skipped: { path: string; reason: string }[] }> {
  const files: ModelFile[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const { path, bytes } of await localDirectory(directory).list()) {
    const reason = refusalOf(path);
    if (reason === undefined) files.push({ path, bytes });
    else skipped.push({ path, reason });
  }
  return { files, skipped };
}

function refusalOf(path: string): string | undefined {
  try {
    checkStoredPath(path);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** @param onBytes called with the number of bytes read since the last call */
export async function hashFile(
  directory: string,
  file: ModelFile,
  onBytes: (bytes: number) => void,
): Promise<HashedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(join(directory, file.path), { highWaterMark: 2 ** 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
    onBytes((chunk as Buffer).byteLength);
  }
  return { path: file.path, bytes, sha256: hash.digest('hex') };
}

/** Path of a file in a URL: slashes stay as they are. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
