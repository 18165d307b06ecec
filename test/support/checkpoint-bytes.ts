import { shardFiles, indexJson, type OutputTensor } from '../../src/engine/checkpoint/layout.js';
import type { CheckpointFiles } from '../../src/engine/checkpoint/files.js';
import { EngineError } from '../../src/engine/errors.js';

export type Folder = Record<string, Uint8Array>;

export const text = (content: string): Uint8Array => Buffer.from(content);

/** A safetensors file of any header text, right or wrong; `length` replaces the true length in front of it. */
export function rawSafetensors(header: string | Uint8Array, dataBytes: number, length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? Buffer.from(header) : header;
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(json.byteLength));
  return Buffer.concat([start, json, Buffer.alloc(dataBytes)]);
}

/** A valid checkpoint of zeros, laid out as the engine writes it, without config.json. */
export function zeroCheckpoint(tensors: readonly OutputTensor[], shardBytes = Number.MAX_SAFE_INTEGER): Folder {
  const shards = shardFiles(tensors, shardBytes);
  const folder: Folder = {};
  for (const shard of shards) {
    folder[shard.name] = Buffer.concat([shard.header, Buffer.alloc(shard.bytes - shard.header.byteLength)]);
  }
  if (shards.length > 1) folder['model.safetensors.index.json'] = text(indexJson(shards));
  return folder;
}

/** A folder that is nowhere on a disk. */
export function memoryFiles(folder: Folder): CheckpointFiles {
  const files = new Map(Object.entries(folder));
  return {
    list: () => Promise.resolve([...files].map(([path, bytes]) => ({ path, bytes: bytes.byteLength })).sort(byPath)),
    read(path, offset, length) {
      const bytes = files.get(path);
      if (!bytes) return Promise.reject(new EngineError('file_missing', path));
      if (offset + length > bytes.byteLength) return Promise.reject(new EngineError('file_truncated', path));
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}
