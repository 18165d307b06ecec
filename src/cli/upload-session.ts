import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Version } from '../models/models.schema.js';
import type { Upload, UploadFile } from '../models/uploads.schema.js';
import { type ApiClient, ApiProblem, ConnectionLost } from './api-client.js';
import { encodePath, type HashedFile } from './model-files.js';
import { resuming } from './resuming.js';

export interface UploadOptions {
  /** An upload that an earlier attempt left open. */
  known?: string | undefined;
  /** Ends a transfer; what the service has stays there. */
  signal: AbortSignal;
  /** Bytes of this file that the service has, or that are on their way to it. */
  onBytes(file: HashedFile, bytes: number): void;
  onRetry(error: Error): void;
}

/** One version under way to a service. */
export class UploadSession {
  private constructor(
    private readonly client: ApiClient,
    readonly id: string,
    private readonly options: UploadOptions,
  ) {}

  static async open(client: ApiClient, name: string, options: UploadOptions): Promise<UploadSession> {
    if (options.known !== undefined) {
      const { id } = await client.json<Upload>(`/v1/uploads/${encodeURIComponent(options.known)}`);
      return new UploadSession(client, id, options);
    }
    await createModel(client, name);
    const headers = { 'idempotency-key': randomUUID() };
    const begin = (): Promise<Upload> => client.json<Upload>(`/v1/models/${name}/uploads`, { method: 'POST', headers });
    const { id } = await resuming(begin, { progress: () => 0, ...options });
    return new UploadSession(client, id, options);
  }

  /** Sends a file, or what the service has not got of it. @throws ApiProblem digest_mismatch when bytes were changed on the way */
  async send(directory: string, file: HashedFile): Promise<void> {
    let sent = 0;
    const onBytes = (bytes: number): void => {
      sent = Math.max(sent, bytes);
      this.options.onBytes(file, bytes);
    };
    await resuming(() => this.sendRest(directory, file, onBytes), {
      ...this.options,
      progress: () => sent,
    });
    onBytes(file.bytes);
  }

  async complete({ alias, licence }: { alias?: string; licence?: string }): Promise<Version> {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { ...(alias !== undefined && { alias }), ...(licence !== undefined && { licence }) };
    const finish = (): Promise<Version> =>
      this.client.json<Version>(`/v1/uploads/${this.id}/complete`, { method: 'POST', headers, body });
    return resuming(finish, { progress: () => 0, ...this.options });
  }

  private async sendRest(directory: string, file: HashedFile, onBytes: (bytes: number) => void): Promise<void> {
    const known = await this.find(file);
    if (known?.done === true) return;
    const received = known?.received ?? 0;
    // Everything arrived but the last step: only a new start can finish that.
    const offset = received < file.bytes ? received : 0;
    const headers: Record<string, string> = {
      'content-type': 'application/octet-stream',
      'content-length': String(file.bytes - offset),
      'x-content-sha256': file.sha256,
      ...(offset > 0 && { 'content-range': `bytes ${offset}-${file.bytes - 1}/${file.bytes}` }),
    };
    const source = new FileSource(join(directory, file.path), offset, (bytes) => onBytes(offset + bytes));
    const path = `/v1/uploads/${this.id}/files/${encodePath(file.path)}`;
    try {
      await this.client.json<UploadFile>(path, { method: 'PUT', headers, body: source, signal: this.options.signal });
    } catch (error) {
      if (source.failure) throw source.failure;
      // Where the broken request ended is known to the service alone, and it may be a moment behind.
      const codes = ['upload_offset_mismatch', 'upload_superseded'];
      if (error instanceof ApiProblem && codes.includes(error.code)) throw new ConnectionLost(this.client.url, error);
      throw error;
    }
  }

  /** What the service has of a file with these bytes. */
  private async find({ path, bytes, sha256 }: HashedFile): Promise<UploadFile | undefined> {
    const { files } = await this.client.json<Upload>(`/v1/uploads/${this.id}`);
    return files.find((file) => file.path === path && file.bytes === bytes && file.sha256 === sha256);
  }
}

async function createModel(client: ApiClient, model: string): Promise<void> {
  const [namespace = '', name = ''] = model.split('/');
  try {
    await resuming(() => client.json('/v1/models', { method: 'POST', body: { namespace, name } }), {
      progress: () => 0,
    });
  } catch (error) {
    if (!(error instanceof ApiProblem && error.code === 'model_exists')) throw error;
  }
}

/** A file as a request's body; keeps what went wrong with it, which fetch would call a network error. */
class FileSource implements AsyncIterable<Uint8Array> {
  failure: Error | undefined;

  constructor(
    private readonly path: string,
    private readonly offset: number,
    private readonly onBytes: (bytes: number) => void,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    const stream = createReadStream(this.path, { start: this.offset, highWaterMark: 256 * 1024 });
    try {
      for await (const chunk of stream) {
        yield chunk as Buffer;
        bytes += (chunk as Buffer).byteLength;
        this.onBytes(bytes);
      }
    } catch (error) {
      this.failure = error as Error;
      throw error;
    }
  }
}
