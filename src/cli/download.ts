import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OutputDirectory } from '../engine/index.js';
import type { VersionFile } from '../models/models.schema.js';
import { type ApiClient, ConnectionLost, isLineBroken } from './api-client.js';
import { Failure } from './failure.js';
import { encodePath } from './model-files.js';
import { resuming } from './resuming.js';

export interface DownloadEvents {
  /** Bytes of this file that are there. */
  onBytes(bytes: number): void;
  onRetry(error: Error): void;
}

/** One file on its way into a directory: it gets its name there when its SHA-256 is right. */
export class Download {
  private received = 0;
  private readonly partial: string;
  private readonly target: string;

  constructor(
    private readonly client: ApiClient,
    /** URL path before the file's own. */
    private readonly prefix: string,
    private readonly file: VersionFile,
    private readonly output: OutputDirectory,
    private readonly signal: AbortSignal,
    private readonly events: DownloadEvents,
  ) {
    this.partial = output.part(file.sha256);
    this.target = join(output.directory, file.path);
  }

  /** @throws Failure digest_mismatch, ApiProblem, ConnectionLost, or what the signal says */
  async run(): Promise<void> {
    if (await this.isThere()) return;
    const resumed = (await stat(this.partial).catch(() => undefined))?.size ?? 0;
    const isRight = await this.fetchWhole();
    // The part that an earlier attempt left may be what is wrong, after a power cut for example.
    if (!isRight && (resumed === 0 || !(await this.fetchWhole()))) {
      const { path, sha256 } = this.file;
      throw new Failure('digest_mismatch', `${path}: the bytes that arrived do not have SHA-256 ${sha256}`);
    }
    await mkdir(dirname(this.target), { recursive: true });
    await rename(this.partial, this.target);
    this.output.finished(this.file.path);
  }

  /** A file that an earlier attempt finished: it was renamed after it was verified, and is verified again. */
  private async isThere(): Promise<boolean> {
    const found = await stat(this.target).catch(() => undefined);
    if (found?.size !== this.file.bytes) return false;
    return (await hashOf(this.target)).digest('hex') === this.file.sha256;
  }

  /** @returns whether the whole file has its SHA-256; if not, nothing of it is left */
  private async fetchWhole(): Promise<boolean> {
    const hash = await resuming(() => this.fetchRest(), {
      progress: () => this.received,
      onRetry: (error) => this.events.onRetry(error),
      signal: this.signal,
    });
    if (hash.digest('hex') === this.file.sha256) return true;
    await rm(this.partial, { force: true });
    return false;
  }

  /** @returns the hash of everything up to the end */
  private async fetchRest(): Promise<Hash> {
    const size = (await stat(this.partial).catch(() => undefined))?.size ?? 0;
    if (size > this.file.bytes) await rm(this.partial);
    const offset = size > this.file.bytes ? 0 : size;
    const hash = offset > 0 ? await hashOf(this.partial) : createHash('sha256');
    this.received = offset;
    if (offset === this.file.bytes && offset > 0) return hash;
    const headers: Record<string, string> =
      offset > 0 ? { range: `bytes=${offset}-`, 'if-range': `"${this.file.sha256}"` } : {};
    const response = await this.client.request(this.prefix + encodePath(this.file.path), {
      headers,
      signal: this.signal,
    });
    if (offset > 0 && response.status !== 206) {
      await response.body?.cancel();
      await rm(this.partial, { force: true });
      throw new ConnectionLost(this.client.url, new Error('the service does not continue the file'));
    }
    await this.receive(response, hash);
    return hash;
  }

  private async receive(response: Response, hash: Hash): Promise<void> {
    const file = await open(this.partial, 'a');
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        // More than was promised would only be found out when the disk is full.
        if (this.received + chunk.byteLength > this.file.bytes) break;
        await file.appendFile(chunk);
        hash.update(chunk);
        this.received += chunk.byteLength;
        this.events.onBytes(this.received);
      }
    } catch (error) {
      if (this.signal.aborted || !isLineBroken(error)) throw error;
      throw new ConnectionLost(this.client.url, error);
    } finally {
      await file.close();
    }
    if (this.received < this.file.bytes) {
      throw new ConnectionLost(this.client.url, new Error('the file ended early'));
    }
  }
}

async function hashOf(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash;
}
