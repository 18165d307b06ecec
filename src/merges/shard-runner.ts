import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Config } from '../config.js';
import { execute, MergeThreads } from '../engine/index.js';
import { CONFIG, OBJECT_STORE } from '../platform/tokens.js';
import { BlobCache, type HeldBlob } from '../storage/blob-cache.js';
import { writeObject } from '../storage/content.js';
import type { ObjectStore } from '../storage/object-store.js';
import { filesOfShard } from './engine.js';
import type { ShardClaim, StoredShard } from './shard-leases.js';
import { type StoredMerge, StoredMerges } from './stored-merges.js';

/** Where an attempt stores its result: no other attempt ever writes there, so nobody can spoil what another made. */
export function shardObjectKey({ mergeId, index, attempt }: ShardClaim): string {
  return `${mergePrefix(mergeId)}shard-${index}-${attempt}`;
}

/** Everything that a merge stores begins with this; what is not a blob's in the end is deleted. */
export function mergePrefix(mergeId: string): string {
  return `merges/${mergeId}/`;
}

/** Scratch space of merges; nothing in it is needed after a restart. */
export function scratchDirectory(config: Config): string {
  return join(config.dataDirectory, 'scratch');
}

/** Computes one shard and stores it. Who owns the shard is not its business. */
@Injectable()
export class ShardRunner implements OnApplicationShutdown {
  readonly #threads: MergeThreads;

  constructor(
    private readonly merges: StoredMerges,
    private readonly cache: BlobCache,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#threads = new MergeThreads(config.threads);
  }

  /** After the last shard was given back. */
  async onApplicationShutdown(): Promise<void> {
    await this.#threads.end();
  }

  /**
   * @param onProgress bytes of the shard's file that are written so far
   * @throws EngineError, StorageError; merge_cancelled when the signal aborts
   */
  async run(claim: ShardClaim, signal: AbortSignal, onProgress: (doneBytes: number) => void): Promise<StoredShard> {
    const merge = await this.merges.get(claim.mergeId);
    const directory = join(scratchDirectory(this.config), `${claim.mergeId}-${claim.index}-${claim.attempt}`);
    const held: HeldBlob[] = [];
    try {
      const paths = await this.#acquire(merge, claim.index, held, signal);
      await mkdir(directory, { recursive: true });
      const { reports } = await execute(merge.plan, {
        locate: (input, file) => paths.get(`${input}/${file}`) ?? '',
        directory,
        shards: [claim.index],
        threads: this.#threads,
        // Taken while the file is stored: it is read once more for that anyway.
        digests: false,
        onEvent: (event) => {
          if (event.type === 'progress') onProgress(event.writtenBytes);
        },
        signal,
      });
      return { ...(await this.#store(claim, join(directory, claim.fileName), signal)), reports };
    } finally {
      await rm(directory, { recursive: true, force: true });
      await Promise.all(held.map((blob) => blob.release()));
    }
  }

  async #acquire(
    merge: StoredMerge,
    index: number,
    held: HeldBlob[],
    signal: AbortSignal,
  ): Promise<Map<string, string>> {
    const paths = new Map<string, string>();
    for (const { input, file } of filesOfShard(merge.plan, index)) {
      signal.throwIfAborted();
      const stored = merge.files[input]?.get(file);
      if (!stored) throw new Error(`input ${input} of merge ${merge.id} has no file ${file}`);
      const blob = await this.cache.acquire(stored);
      held.push(blob);
      paths.set(`${input}/${file}`, blob.path);
    }
    return paths;
  }

  async #store(claim: ShardClaim, path: string, signal: AbortSignal): Promise<Omit<StoredShard, 'reports'>> {
    const objectKey = shardObjectKey(claim);
    const source = createReadStream(path, { highWaterMark: 1 << 20, signal });
    const content = await writeObject(this.store, objectKey, source as AsyncIterable<Buffer>);
    return { ...content, objectKey };
  }
}
