import { EngineError, quote } from '../errors.js';
import { configFileName, maxConfigBytes, parseConfig } from './config.js';
import type { Dtype } from './dtype.js';
import { type CheckpointFile, type CheckpointFiles, checkPath, maxFiles } from './files.js';
import { findElementCount, lengthBytes, maxTensors, parseHeader, readHeaderLength } from './header.js';
import type { SafetensorsHeader } from './header.js';
import type { JsonObject } from './json-scanner.js';
import { indexFileName, singleFileName } from './layout.js';
import { findQuantisation } from './quantisation.js';
import { maxIndexBytes, parseIndex, type ShardIndex } from './shard-index.js';

export interface CheckpointTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  file: string;
  /** Byte in the file, header included. */
  offset: number;
  bytes: number;
}

export interface Checkpoint {
  config: JsonObject | undefined;
  /** Everything in the folder, sorted by path. */
  files: CheckpointFile[];
  /** The files that hold the tensors, sorted. */
  shards: string[];
  /** By name; in the order of shards and of bytes within each. */
  tensors: Map<string, CheckpointTensor>;
  parameterCount: number;
  /** How many tensors have each type. */
  dtypes: Partial<Record<Dtype, number>>;
  /** First of config.json's `architectures`. */
  architecture?: string;
  modelType?: string;
  /** Method of quantisation, when the stored numbers are codes. */
  quantisation?: string;
  /** Oddities that change nothing, as sentences. */
  warnings: string[];
}

/** How bytes become structure; replaced where large headers must not hold up the thread. */
export interface CheckpointParsers {
  header(bytes: Uint8Array, fileBytes: number): SafetensorsHeader | Promise<SafetensorsHeader>;
  index(bytes: Uint8Array): ShardIndex | Promise<ShardIndex>;
}

export interface InspectOptions {
  /** Refuse a checkpoint without config.json (default false). */
  requireConfig?: boolean;
  parsers?: CheckpointParsers;
}

const ownThread: CheckpointParsers = { header: parseHeader, index: parseIndex };
/** Most headers are shorter, so that most shards cost one read. */
const firstReadBytes = 32_768;
const concurrentReads = 8;

/**
 * Reads what a checkpoint is from its headers, index and config.json; no tensor is read. Every rule that must hold
 * between the files is checked: afterwards each tensor is known to lie in exactly one place.
 *
 * @throws EngineError
 */
export async function inspect(files: CheckpointFiles, options: InspectOptions = {}): Promise<Checkpoint> {
  const parsers = options.parsers ?? ownThread;
  const listed = await files.list();
  const sizes = indexSizes(listed);
  const config = await readConfig(files, sizes);
  if (!config && options.requireConfig) throw new EngineError('config_missing', 'no config.json beside the weights');
  const index = await findIndex(files, sizes, parsers);
  const shards = index ? [...new Set(index.weightMap.values())].sort() : [singleFileName];
  for (const shard of shards) {
    if (sizes.has(shard)) continue;
    throw new EngineError('index_shard_missing', `the index names ${quote(shard)}, which is not there`, {
      file: shard,
    });
  }
  const headers = await inBatches(shards, (shard) => readHeader(files, shard, sizes.get(shard) ?? 0, parsers));
  const tensors = collect(shards, headers, index);
  return {
    config,
    files: listed,
    shards,
    tensors,
    ...summarise(config, tensors),
    warnings: findWarnings(index, tensors),
  };
}

function indexSizes(files: readonly CheckpointFile[]): Map<string, number> {
  if (files.length > maxFiles) throw new EngineError('too_many_files', `more than ${maxFiles} files`);
  const sizes = new Map<string, number>();
  for (const { path, bytes } of files) {
    checkPath(path);
    if (sizes.has(path)) throw new EngineError('file_path_invalid', `${quote(path)} comes twice`, { file: path });
    sizes.set(path, bytes);
  }
  return sizes;
}

async function readConfig(files: CheckpointFiles, sizes: ReadonlyMap<string, number>): Promise<JsonObject | undefined> {
  const bytes = sizes.get(configFileName);
  if (bytes === undefined) return undefined;
  if (bytes > maxConfigBytes) {
    throw new EngineError('config_too_large', `config.json of ${bytes} bytes (at most ${maxConfigBytes})`);
  }
  return parseConfig(await files.read(configFileName, 0, bytes));
}

/** The index, or undefined for a single `model.safetensors`. Anything else is refused with what it seems to be. */
async function findIndex(
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

async function readHeader(
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

function collect(
  shards: readonly string[],
  headers: readonly SafetensorsHeader[],
  index: ShardIndex | undefined,
): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  shards.forEach((file, at) => {
    for (const { name, dtype, shape, begin, end } of headers[at]?.tensors ?? []) {
      if (index) checkListed(index, name, file);
      tensors.set(name, {
        name,
        dtype,
        shape,
        file,
        offset: (headers[at]?.dataStart ?? 0) + begin,
        bytes: end - begin,
      });
    }
    if (tensors.size > maxTensors) throw new EngineError('header_too_many_tensors', `more than ${maxTensors} tensors`);
  });
  for (const [name, file] of index?.weightMap ?? []) {
    if (tensors.has(name)) continue;
    throw new EngineError(
      'index_tensor_missing',
      `the index puts ${quote(name)} into ${file}, which does not have it`,
      {
        tensor: name,
        file,
      },
    );
  }
  return tensors;
}

/** A tensor in the wrong shard would also be there twice, or missing where the index points. */
function checkListed(index: ShardIndex, tensor: string, file: string): void {
  const listed = index.weightMap.get(tensor);
  if (listed === file) return;
  const [code, place] =
    listed === undefined
      ? (['index_tensor_unlisted', 'does not list it'] as const)
      : (['index_tensor_misplaced', `puts it into ${listed}`] as const);
  throw new EngineError(code, `${file} has tensor ${quote(tensor)}, but the index ${place}`, { tensor, file });
}

function summarise(
  config: JsonObject | undefined,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): Pick<Checkpoint, 'parameterCount' | 'dtypes' | 'architecture' | 'modelType' | 'quantisation'> {
  let parameterCount = 0;
  const dtypes: Partial<Record<Dtype, number>> = {};
  for (const { dtype, shape } of tensors.values()) {
    parameterCount += findElementCount(shape) ?? 0;
    dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  }
  const architectures = config?.['architectures'];
  const architecture = findName(Array.isArray(architectures) ? architectures[0] : undefined);
  const modelType = findName(config?.['model_type']);
  const quantisation = findQuantisation(config, tensors.values());
  return {
    parameterCount,
    dtypes,
    ...(architecture !== undefined && { architecture }),
    ...(modelType !== undefined && { modelType }),
    ...(quantisation !== undefined && { quantisation }),
  };
}

/** A name is shown, stored and searched: not longer than any real one, and printable. */
function findName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x20-\x7e]{1,128}$/.test(value) ? value : undefined;
}

/** transformers counts shared tensors twice, and quantised ones by what they were: the total is not worth a refusal. */
function findWarnings(index: ShardIndex | undefined, tensors: ReadonlyMap<string, CheckpointTensor>): string[] {
  if (index?.totalBytes === undefined) return [];
  let bytes = 0;
  for (const tensor of tensors.values()) bytes += tensor.bytes;
  if (bytes === index.totalBytes) return [];
  return [`the index says total_size ${index.totalBytes}, the tensors have ${bytes} bytes`];
}

async function inFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof EngineError ? error.inFile(file) : error;
  }
}

/** A few at a time, for remote files. The first failure by order is thrown, so that the same folder gives the same error. */
async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += concurrentReads) {
    const batch = await Promise.allSettled(items.slice(at, at + concurrentReads).map(work));
    for (const result of batch) {
      if (result.status === 'rejected') throw result.reason;
      results.push(result.value);
    }
  }
  return results;
}
