import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { builtUrl } from '../built.js';
import { EngineError, type EngineErrorCode, type EngineErrorDetails } from '../errors.js';
import { type Checkpoint, inspect, type InspectOptions } from './checkpoint.js';
import { type HeaderColumns, type IndexColumns, unpackHeader, unpackIndex } from './columns.js';
import type { CheckpointFiles } from './files.js';
import { parseHeader, type SafetensorsHeader } from './header.js';
import { parseIndex, type ShardIndex } from './shard-index.js';

export interface ParseRequest {
  bytes: Uint8Array;
  /** Of the whole file; absent when `bytes` is an index. */
  fileBytes?: number;
}

export type ParseAnswer =
  | { header: HeaderColumns }
  | { index: IndexColumns }
  | { code: EngineErrorCode; message: string; details: EngineErrorDetails };

/** Parsed in about 10 ms; a thread takes longer to start. */
const smallBytes = 2 ** 20;

/**
 * `inspect` for a process that serves others meanwhile: headers and indexes above 1 MiB are parsed on a thread that
 * lives as long as this call.
 */
export async function inspectOffThread(
  files: CheckpointFiles,
  options: Omit<InspectOptions, 'parsers'> = {},
): Promise<Checkpoint> {
  const thread = new ParserThread();
  try {
    return await inspect(files, {
      ...options,
      parsers: {
        header: (bytes, fileBytes) =>
          bytes.byteLength > smallBytes ? thread.header(bytes, fileBytes) : parseHeader(bytes, fileBytes),
        index: (bytes) => (bytes.byteLength > smallBytes ? thread.index(bytes) : parseIndex(bytes)),
      },
    });
  } finally {
    await thread.close();
  }
}

class ParserThread {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();

  async header(bytes: Uint8Array, fileBytes: number): Promise<SafetensorsHeader> {
    const answer = await this.parse({ bytes, fileBytes });
    if (!('header' in answer)) throw new Error('the parser thread answered another question');
    return unpackHeader(answer.header);
  }

  async index(bytes: Uint8Array): Promise<ShardIndex> {
    const answer = await this.parse({ bytes });
    if (!('index' in answer)) throw new Error('the parser thread answered another question');
    return unpackIndex(answer.index);
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  /** One at a time: several large headers at once would also need their memory at once. */
  private parse(request: ParseRequest): Promise<ParseAnswer> {
    const turn = this.last.then(() => this.ask(request));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async ask(request: ParseRequest): Promise<ParseAnswer> {
    this.worker ??= new Worker(builtUrl('checkpoint/inspect.worker.js'));
    this.worker.postMessage(request);
    // Rejects when the thread dies: `once` listens for 'error' too.
    const [answer] = (await once(this.worker, 'message')) as [ParseAnswer];
    if ('code' in answer) throw new EngineError(answer.code, answer.message, answer.details);
    return answer;
  }
}
