import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertContent } from './content.js';
import type { ObjectStore } from './object-store.js';

/** A blob as the registry knows it; `sha256` is lower-case hex. */
export interface Blob {
  sha256: string;
  bytes: number;
  objectKey: string;
}

/** A local file with exactly the blob's bytes, valid until `release`. */
export interface HeldBlob {
  path: string;
  release(): Promise<void>;
}

interface CachedFile {
  path: string;
  bytes: number;
  usedAt: number;
  linkedAt: number;
}

/** What a dead process held is freed after this; a merge holds its inputs for far less. */
const heldAtMostHours = 24;

/**
 * Local files for the engine, which reads by path. Each is checked against its digest before its path is given out.
 * On a store of local files it is the object itself, checked when first used; otherwise a copy below `directory`,
 * bounded by `maxBytes`, the least recently used going first. A holder gets a hard link of its own, so that nothing
 * that is in use is ever pulled away, whichever process frees space.
 */
export class BlobCache {
  private readonly checked = new Map<string, string>();
  private readonly underway = new Map<string, Promise<string>>();
  private readonly held: string;

  constructor(
    private readonly store: ObjectStore,
    private readonly directory: string,
    private readonly maxBytes: number,
  ) {
    this.held = join(directory, 'held');
  }

  /** @throws StorageError digest_mismatch, size_mismatch when the stored bytes are not the blob's; object_not_found */
  async acquire(blob: Blob): Promise<HeldBlob> {
    const own = this.store.localPath(blob.objectKey);
    if (own !== undefined) {
      await this.once(`${blob.objectKey} ${blob.sha256}`, () => this.check(own, blob));
      return { path: own, release: () => Promise.resolve() };
    }
    await mkdir(this.held, { recursive: true });
    const path = join(this.held, randomUUID());
    for (let attempt = 1; ; attempt += 1) {
      const copy = await this.once(blob.sha256, () => this.copy(blob));
      try {
        await link(copy, path);
        return { path, release: () => rm(path, { force: true }) };
      } catch (error) {
        // Somebody else needed the room between the two steps: fetch it again.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 5) throw error;
      }
    }
  }

  /** Frees what dead processes held, and old copies until `incomingBytes` more fit; a larger blob gets in all the same. */
  private async makeRoom(incomingBytes: number): Promise<void> {
    for (const file of await this.files(this.held)) {
      if (Date.now() - file.linkedAt > heldAtMostHours * 3_600_000) await rm(file.path, { force: true });
    }
    const files = (await this.files(this.directory)).sort((a, b) => a.usedAt - b.usedAt);
    let total = files.reduce((sum, file) => sum + file.bytes, incomingBytes);
    for (const file of files) {
      if (total <= this.maxBytes) break;
      await rm(file.path, { force: true });
      total -= file.bytes;
    }
  }

  /** Work that is asked for again while it runs is done once. */
  private once(name: string, work: () => Promise<string>): Promise<string> {
    const running = this.underway.get(name);
    if (running) return running;
    const started = work().finally(() => this.underway.delete(name));
    this.underway.set(name, started);
    return started;
  }

  private async copy(blob: Blob): Promise<string> {
    const path = join(this.directory, blob.sha256);
    const present = await stat(path).catch(() => undefined);
    if (present) {
      const good = await this.check(path, blob).catch(() => undefined);
      if (good !== undefined) {
        await utimes(path, new Date(), present.mtime).catch(() => undefined);
        return path;
      }
      await rm(path, { force: true });
    }
    await this.makeRoom(blob.bytes);
    await this.download(blob, path);
    return path;
  }

  private async download(blob: Blob, path: string): Promise<void> {
    const draft = join(this.held, randomUUID());
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      const source = await this.store.read(blob.objectKey);
      const hashed = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      };
      await pipeline(source, hashed, createWriteStream(draft, { flags: 'wx' }));
      assertContent(blob.objectKey, { bytes, sha256: hash.digest('hex') }, blob);
      // A whole second survives every later `utimes` to the last bit. A fraction would not, and a merge of another
      // process that reads the file at that moment would take it for changed.
      await utimes(draft, new Date(), new Date(Math.floor(Date.now() / 1_000) * 1_000));
      await rename(draft, path);
      this.checked.set(path, await stamp(path));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** Reads a file once against its digest, and again only when the file itself was changed since. */
  private async check(path: string, blob: Blob): Promise<string> {
    const before = await stamp(path).catch(() => undefined);
    if (before === undefined) await this.store.head(blob.objectKey);
    if (before !== undefined && this.checked.get(path) === before) return path;
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    assertContent(blob.objectKey, { bytes, sha256: hash.digest('hex') }, blob);
    if (before !== undefined) this.checked.set(path, before);
    return path;
  }

  private async files(folder: string): Promise<CachedFile[]> {
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(folder, name);
        const found = await stat(path).catch(() => undefined);
        if (!found?.isFile()) return [];
        const usedAt = Math.max(found.atimeMs, found.mtimeMs);
        // Links share all of a file's times; the change time is never before the newest link was made.
        return [{ path, bytes: found.size, usedAt, linkedAt: found.ctimeMs }];
      }),
    );
    return files.flat();
  }
}

async function stamp(path: string): Promise<string> {
  // Whole milliseconds, which survive `utimes`; the change time does not, since every link changes it.
  const { ino, size, mtimeMs } = await stat(path);
  return [ino, size, Math.trunc(mtimeMs)].join(':');
}
