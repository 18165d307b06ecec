import { type CheckpointFiles, EngineError } from '../engine/index.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { StoredFile } from './versions.service.js';

/** Stored objects as the folder that the engine inspects. */
export function objectFiles(store: ObjectStore, files: readonly StoredFile[]): CheckpointFiles {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return {
    list: () => Promise.resolve(files.map(({ path, bytes }) => ({ path, bytes }))),
    async read(path, offset, length) {
      const file = byPath.get(path);
      if (!file) throw new EngineError('file_missing', `${path}: no such file`, { file: path });
      if (offset + length > file.bytes) {
        throw new EngineError('file_truncated', `${path}: ends at byte ${file.bytes}, expected ${offset + length}`, {
          file: path,
        });
      }
      const chunks: Buffer[] = [];
      for await (const chunk of await store.read(file.objectKey, { offset, length })) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
  };
}
