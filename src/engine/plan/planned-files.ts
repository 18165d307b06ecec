import { configFileName } from '../checkpoint/config.js';
import type { CheckpointFiles } from '../checkpoint/files.js';
import { EngineError, quote } from '../errors.js';
import type { MergePlan } from './merge-plan.js';

/** Where a checkpoint's index lies. */
const INDEX = 'model.safetensors.index.json';

/**
 * The result of a merge as it will be, before it is carried out: everything that can be read but the weights themselves. So a
 * merge whose inputs other merges make can be planned with them.
 * @param inputs the files of the plan's inputs, from which it takes some over
 */
export function plannedFiles(plan: MergePlan, inputs: readonly CheckpointFiles[]): CheckpointFiles {
  const own = new Map<string, { bytes: number; content: Uint8Array }>();
  for (const { file, bytes, header } of plan.shards) own.set(file, { bytes, content: Buffer.from(header, 'base64') });
  const add = (path: string, text: string | undefined): void => {
    if (text === undefined) return;
    const content = Buffer.from(text);
    own.set(path, { bytes: content.byteLength, content });
  };
  add(configFileName, plan.configText);
  add(INDEX, plan.index);
  const copies = new Map(plan.copies.map(({ input, path }) => [path, inputs[input]]));
  return {
    list: async () => {
      const listed = [...own].map(([path, { bytes }]) => ({ path, bytes }));
      for (const [path, files] of copies) {
        const found = (await files?.list())?.find((file) => file.path === path);
        if (found !== undefined) listed.push(found);
      }
      return listed.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    read: async (path, offset, length) => {
      const copied = copies.get(path);
      if (copied !== undefined) return copied.read(path, offset, length);
      const file = own.get(path);
      if (file === undefined || offset >= file.content.byteLength || offset + length > file.bytes) {
        throw new EngineError('file_missing', `${quote(path)} is not merged yet`, { file: path });
      }
      // Who reads a header reads past its end.
      const read = new Uint8Array(length);
      read.set(file.content.subarray(offset, offset + length));
      return read;
    },
  };
}
