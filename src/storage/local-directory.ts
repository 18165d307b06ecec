import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  assertKey,
  objectNotFound,
  resolveRange,
  StorageError,
  type ObjectHead,
  type ObjectStore,
  type UploadedPart,
} from './object-store.js';
import { StagedUpload } from './staged-upload.js';

/**
 * Objects as plain files below `objects/`. Everything is written under `staging/` first, synced and renamed, so that a
 * crash leaves either the whole object or none, and never a half one under its key.
 */
export class LocalDirectoryStore implements ObjectStore {
  private readonly objects: string;
  private readonly staging: string;
  private readonly uploads = new Map<string, StagedUpload>();

  constructor(directory: string) {
    this.objects = join(directory, 'objects');
    this.staging = join(directory, 'staging');
  }

  async head(key: string): Promise<ObjectHead> {
    const found = await stat(this.localPath(key)).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw translate(error);
    });
    if (!found?.isFile()) throw objectNotFound(key);
    return { key, bytes: found.size };
  }

  async read(key: string, range?: { offset?: number; length?: number }): Promise<Readable> {
    const { offset, length } = resolveRange(await this.head(key), range);
    if (length === 0) return Readable.from([]);
    return createReadStream(this.localPath(key), { start: offset, end: offset + length - 1, highWaterMark: 1 << 18 });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    assertKey(key);
    await this.publish(await this.stage(bytes), key);
  }

  async beginUpload(key: string): Promise<string> {
    assertKey(key);
    const upload = randomUUID();
    await translated(mkdir(join(this.staging, upload), { recursive: true }));
    return upload;
  }

  async putPart(key: string, upload: string, _number: number, bytes: Uint8Array): Promise<string> {
    const staged = await this.staged(key, upload);
    return translated(staged.append(bytes));
  }

  async completeUpload(key: string, upload: string, parts: readonly UploadedPart[]): Promise<void> {
    const staged = await this.staged(key, upload);
    await this.publish(await translated(staged.assemble(parts)), key);
    await this.abortUpload(key, upload);
  }

  async abortUpload(key: string, upload: string): Promise<void> {
    assertKey(key);
    if (!isUpload(upload)) return;
    this.uploads.delete(upload);
    await translated(rm(join(this.staging, upload), { recursive: true, force: true }));
  }

  async forgetUploads(before: Date): Promise<void> {
    for (const name of await namesIn(this.staging)) {
      const path = join(this.staging, name);
      if ((await touchedAt(path)) >= before.getTime()) continue;
      this.uploads.delete(name);
      await translated(rm(path, { recursive: true, force: true }));
    }
  }

  async delete(key: string): Promise<void> {
    await translated(rm(this.localPath(key), { force: true }));
  }

  async *list(prefix: string): AsyncIterable<ObjectHead> {
    for await (const key of keysBelow(this.objects, '', prefix)) {
      // Deleted while we walk: no longer an object.
      const found = await stat(join(this.objects, key)).catch(() => undefined);
      if (found) yield { key, bytes: found.size };
    }
  }

  localPath(key: string): string {
    assertKey(key);
    return join(this.objects, key);
  }

  async check(): Promise<void> {
    await rm(await this.stage(new Uint8Array(1)), { force: true });
  }

  private async staged(key: string, upload: string): Promise<StagedUpload> {
    assertKey(key);
    const folder = join(this.staging, upload);
    const exists = isUpload(upload) && (await stat(folder).catch(() => undefined)) !== undefined;
    if (!exists) throw new StorageError('upload_not_found', `There is no upload ${upload.slice(0, 64)}.`);
    const known = this.uploads.get(upload) ?? new StagedUpload(folder);
    this.uploads.set(upload, known);
    return known;
  }

  private async stage(bytes: Uint8Array): Promise<string> {
    const file = join(this.staging, randomUUID());
    try {
      await mkdir(this.staging, { recursive: true });
      const handle = await open(file, 'wx');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return file;
    } catch (error) {
      await rm(file, { force: true }).catch(() => undefined);
      throw translate(error);
    }
  }

  private async publish(staged: string, key: string): Promise<void> {
    const path = this.localPath(key);
    await translated(mkdir(dirname(path), { recursive: true }));
    await translated(rename(staged, path));
    await translated(syncFolder(dirname(path)));
  }
}

/** Depth first, by code units within a folder; a folder sorts as its name with a slash, which is the order of keys. */
async function* keysBelow(root: string, folder: string, prefix: string): AsyncIterable<string> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw translate(error);
  });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort(byCodeUnits);
  for (const name of names) {
    const key = folder + name;
    if (name.endsWith('/')) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* keysBelow(root, key, prefix);
    } else if (key.startsWith(prefix)) yield key;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw translate(error);
  });
}

/** When a file, or a folder or anything in it, was last written, in ms; what has gone meanwhile is as good as new. */
async function touchedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.mtimeMs ?? Infinity;
  const inside = await Promise.all((await namesIn(path)).map((name) => touchedAt(join(path, name))));
  return Math.max(found.mtimeMs, ...inside.filter(Number.isFinite));
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A rename is lasting only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function isUpload(upload: string): boolean {
  return /^[0-9a-f-]{36}$/.test(upload);
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function translated<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw translate(error);
  });
}

function translate(error: unknown): unknown {
  if (error instanceof StorageError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code);
  return new StorageError(full ? 'storage_full' : 'storage_unavailable', message, { cause: error });
}
