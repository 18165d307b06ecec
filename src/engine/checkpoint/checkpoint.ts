import { EngineError, quote } from '../errors.js';
import { Turns } from './columns.js';
import { configFileName, type ConfigFile, maxConfigBytes, parseConfig } from './config.js';
import type { Dtype } from './dtype.js';
import { type CheckpointFile, type CheckpointFiles, checkPath, maxFiles } from './files.js';
import { findElementCount, maxTensors, parseHeader, type SafetensorsHeader } from './header.js';
import type { JsonObject } from './json-scanner.js';
import { singleFileName } from './layout.js';
import { findDeclaredQuantisation, findTensorQuantisation } from './quantisation.js';
import { parseIndex, type ShardIndex } from './shard-index.js';
import { type CheckpointParsers, findIndex, readHeader } from './weights.js';

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
  /** How config.json writes its numbers, for `formatConfig`. */
  numberSpellings: Map<string, string>;
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
  /** What the files' headers say that is meant for this program: the entries that begin with `amalgam_`. */
  metadata: Map<string, string>;
  /** Oddities that change nothing, as sentences. */
  warnings: string[];
}

export interface InspectOptions {
  /** Refuse a checkpoint without config.json (default false). */
  requireConfig?: boolean;
  parsers?: CheckpointParsers;
}

const ownThread: CheckpointParsers = { header: parseHeader, index: parseIndex };
const concurrentReads = 8;
/** Other programs' entries are not kept: a header may have megabytes of them. */
const ownMetadata = 'amalgam_';
const maxMetadataCharacters = 65_536;

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
  const configFile = await readConfig(files, sizes);
  const config = configFile?.config;
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
  const { tensorBytes, quantisation, ...contents } = await collect(shards, headers, index);
  const declared = findDeclaredQuantisation(config) ?? quantisation;
  return {
    config,
    numberSpellings: configFile?.numberSpellings ?? new Map<string, string>(),
    files: listed,
    shards,
    ...contents,
    ...findArchitecture(config),
    ...(declared !== undefined && { quantisation: declared }),
    warnings: findWarnings(index, tensorBytes),
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

async function readConfig(files: CheckpointFiles, sizes: ReadonlyMap<string, number>): Promise<ConfigFile | undefined> {
  const bytes = sizes.get(configFileName);
  if (bytes === undefined) return undefined;
  if (bytes > maxConfigBytes) {
    throw new EngineError('config_too_large', `config.json of ${bytes} bytes (at most ${maxConfigBytes})`);
  }
  return parseConfig(await files.read(configFileName, 0, bytes));
}

interface Contents extends Pick<Checkpoint, 'tensors' | 'parameterCount' | 'dtypes' | 'metadata'> {
  tensorBytes: number;
  quantisation: string | undefined;
}

async function collect(
  shards: readonly string[],
  headers: readonly SafetensorsHeader[],
  index: ShardIndex | undefined,
): Promise<Contents> {
  const turns = new Turns();
  const contents: Contents = {
    tensors: new Map(),
    parameterCount: 0,
    dtypes: {},
    metadata: new Map(),
    tensorBytes: 0,
    quantisation: undefined,
  };
  const { tensors, dtypes } = contents;
  for (const [at, header] of headers.entries()) {
    const file = shards[at] ?? '';
    for (const [key, text] of header.metadata) {
      if (key.startsWith(ownMetadata) && text.length <= maxMetadataCharacters) contents.metadata.set(key, text);
    }
    for (const { name, dtype, shape, begin, end } of header.tensors) {
      if (index) checkListed(index, name, file);
      tensors.set(name, { name, dtype, shape, file, offset: header.dataStart + begin, bytes: end - begin });
      contents.parameterCount += findElementCount(shape) ?? 0;
      contents.tensorBytes += end - begin;
      contents.quantisation ??= findTensorQuantisation(name, dtype);
      dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
      if (turns.due()) await turns.next();
    }
    if (tensors.size > maxTensors) throw new EngineError('header_too_many_tensors', `more than ${maxTensors} tensors`);
  }
  if (index && index.weightMap.size > tensors.size) refuseMissing(index, tensors);
  return contents;
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

function refuseMissing(index: ShardIndex, tensors: ReadonlyMap<string, CheckpointTensor>): void {
  for (const [tensor, file] of index.weightMap) {
    if (tensors.has(tensor)) continue;
    throw new EngineError(
      'index_tensor_missing',
      `the index puts ${quote(tensor)} into ${file}, which does not have it`,
      {
        tensor,
        file,
      },
    );
  }
}

function findArchitecture(config: JsonObject | undefined): Pick<Checkpoint, 'architecture' | 'modelType'> {
  const architectures = config?.['architectures'];
  const architecture = findName(Array.isArray(architectures) ? architectures[0] : undefined);
  const modelType = findName(config?.['model_type']);
  return { ...(architecture !== undefined && { architecture }), ...(modelType !== undefined && { modelType }) };
}

/** A name is shown, stored and searched: not longer than any real one, and printable. */
function findName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x20-\x7e]{1,128}$/.test(value) ? value : undefined;
}

/** transformers counts shared tensors twice, and quantised ones by what they were: the total is not worth a refusal. */
function findWarnings(index: ShardIndex | undefined, tensorBytes: number): string[] {
  if (index?.totalBytes === undefined || index.totalBytes === tensorBytes) return [];
  return [`the index says total_size ${index.totalBytes}, the tensors have ${tensorBytes} bytes`];
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
