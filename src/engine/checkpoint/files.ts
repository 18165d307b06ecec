import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

import { EngineError, quote } from '../errors.js';

export interface CheckpointFile {
  /** Relative, with `/` between folders. */
  path: string;
  bytes: number;
}

/** Where a checkpoint's files come from: a folder, an upload, an object store. */
export interface CheckpointFiles {
  list(): Promise<CheckpointFile[]>;
  /** Exactly `length` bytes. @throws EngineError file_missing, file_truncated */
  read(path: string, offset: number, length: number): Promise<Uint8Array>;
}

/** Far above any checkpoint: the largest have a few hundred files. */
export const maxFiles = 20_000;
const maxDepth = 8;
const maxPathBytes = 1024;
const maxSegmentBytes = 255;

/**
 * A path inside a checkpoint: relative, `/` between its segments, none of them empty, `.` or `..`.
 * @throws EngineError file_path_invalid
 */
export function checkPath(path: string): string {
  const segments = path.split('/');
  const wrong =
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    /[\\\u0000-\u001f\u007f]/.test(path) ||
    Buffer.byteLength(path) > maxPathBytes ||
    segments.some((part) => part === '' || part === '.' || part === '..' || Buffer.byteLength(part) > maxSegmentBytes);
  if (wrong) throw new EngineError('file_path_invalid', `${quote(path)} is not a relative path inside the checkpoint`);
  return path;
}

/**
 * A folder on this machine. Symbolic links to files are followed, because the Hub's cache is made of them; links to
 * folders are not, because they can lead anywhere or in a circle. `.git` and `.cache` are left out.
 */
export function localDirectory(directory: string): CheckpointFiles {
  return {
    async list() {
      const files: CheckpointFile[] = [];
      await walk(directory, '', 0, files);
      // Plain comparison: the order must not depend on the locale.
      return files.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async read(path, offset, length) {
      return readRange(directory, checkPath(path), offset, length);
    },
  };
}

async function walk(root: string, prefix: string, depth: number, files: CheckpointFile[]): Promise<void> {
  let entries;
  try {
    entries = await readdir(join(root, prefix), { withFileTypes: true });
  } catch (error) {
    throw asMissing(error, prefix === '' ? root : prefix);
  }
  for (const entry of entries) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < maxDepth && entry.name !== '.git' && entry.name !== '.cache')
        await walk(root, path, depth + 1, files);
      continue;
    }
    // A link to a blob that was never fetched is as good as no file.
    const found = await stat(join(root, path)).catch(() => undefined);
    if (!found?.isFile()) continue;
    files.push({ path, bytes: found.size });
    if (files.length > maxFiles) throw new EngineError('too_many_files', `more than ${maxFiles} files in ${root}`);
  }
}

async function readRange(root: string, path: string, offset: number, length: number): Promise<Uint8Array> {
  let file;
  try {
    await checkInside(root, path);
    // Not blocking on a pipe that someone put in the place of a file.
    file = await open(join(root, path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw asMissing(error, path);
  }
  try {
    if (!(await file.stat()).isFile()) throw new EngineError('file_missing', `${path}: not a file`, { file: path });
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) {
        throw new EngineError('file_truncated', `${path}: ends at byte ${offset + done}, expected ${offset + length}`, {
          file: path,
        });
      }
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** The folder of the file, links resolved, lies in the root: only the last step may be a link. */
async function checkInside(root: string, path: string): Promise<void> {
  if (!path.includes('/')) return;
  const inside = relative(await realpath(root), await realpath(join(root, dirname(path))));
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new EngineError('file_path_invalid', `${quote(path)} leads out of the checkpoint`, { file: path });
  }
}

function asMissing(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return error;
  return new EngineError('file_missing', `${path}: no such file or folder`, { file: path });
}
