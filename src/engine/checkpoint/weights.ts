import { EngineError } from '../errors.js';
import type { CheckpointFiles } from './files.js';
import { lengthBytes, readHeaderLength, type SafetensorsHeader } from './header.js';
import { indexFileName, singleFileName } from './layout.js';
import { maxIndexBytes, type ShardIndex } from './shard-index.js';

/** How bytes become structure; replaced where large headers must not hold up the thread. */
export interface CheckpointParsers {
  header(bytes: Uint8Array, fileBytes: number): SafetensorsHeader | Promise<SafetensorsHeader>;
  index(bytes: Uint8Array): ShardIndex | Promise<ShardIndex>;
}

/** Most headers are shorter, so that most shards cost one read. */
const firstReadBytes = 32_768;

/** The index, or undefined for a single `model.safetensors`. Anything else is refused with what it seems to be. */
export async function findIndex(
  files: CheckpointFiles,
  sizes: ReadonlyMap<string, number>,
  parsers: CheckpointParsers,
): Promise<ShardIndex | undefined> {
  const bytes = sizes.get(indexFileName);
  if (bytes === undefined) {
    if (!sizes.has(singleFileName)) refuseFolder([...sizes.keys()]);
    return undefined;
  }
  if (bytes > maxIndexBytes) {
    throw new EngineError('index_too_large', `index of ${bytes} bytes (at most ${maxIndexBytes})`, {
      file: indexFileName,
    });
  }
  const index = await inFile(indexFileName, async () => parsers.index(await files.read(indexFileName, 0, bytes)));
  if (sizes.has(singleFileName) && ![...index.weightMap.values()].includes(singleFileName)) {
    throw new EngineError(
      'weights_ambiguous',
      `both ${singleFileName} and an index of other files: programs differ in which they load; remove one`,
    );
  }
  return index;
}

function refuseFolder(paths: readonly string[]): never {
  const top = paths.filter((path) => !path.includes('/'));
  if (top.some((path) => /^model-\d+-of-\d+\.safetensors$/.test(path))) {
    throw new EngineError('index_missing', `shards without ${indexFileName}`);
  }
  if (top.some((path) => /\.(?:bin|pt|pth|ckpt|pkl)$/.test(path) && path !== 'training_args.bin')) {
    throw new EngineError(
      'pickle_not_supported',
      'the weights are pickled (.bin, .pt, .pth), a format that can run code: convert them to safetensors',
    );
  }
  if (top.some((path) => /^adapter_model\./.test(path))) {
    throw new EngineError('weights_missing', 'this is a LoRA adapter, not a model: there is no model.safetensors');
  }
  const gguf = top.some((path) => path.endsWith('.gguf')) ? ' (GGUF is not supported)' : '';
  throw new EngineError('weights_missing', `neither ${singleFileName} nor ${indexFileName} in the folder${gguf}`);
}

export async function readHeader(
  files: CheckpointFiles,
  shard: string,
  fileBytes: number,
  parsers: CheckpointParsers,
): Promise<SafetensorsHeader> {
  return inFile(shard, async () => {
    const start = await files.read(shard, 0, Math.min(fileBytes, firstReadBytes));
    const wanted = lengthBytes + readHeaderLength(start, fileBytes);
    if (wanted <= start.byteLength) return parsers.header(start.subarray(0, wanted), fileBytes);
    const rest = await files.read(shard, start.byteLength, wanted - start.byteLength);
    return parsers.header(Buffer.concat([start, rest]), fileBytes);
  });
}

async function inFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof EngineError ? error.inFile(file) : error;
  }
}
