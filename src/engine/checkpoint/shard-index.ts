import { EngineError, quote } from '../errors.js';
import type { EngineErrorCode } from '../errors.js';
import { checkName, maxTensors } from './header.js';
import { decodeJsonText, JsonError, type JsonProblem, JsonScanner, type JsonValue } from './json-scanner.js';

export interface ShardIndex {
  /** `metadata.total_size` when it is a number. Written by many programs, and not always right. */
  totalBytes?: number;
  /** Tensor name to file name. */
  weightMap: Map<string, string>;
}

/** One line a tensor: the 497,000 of the largest published checkpoint need 60 MB. */
export const maxIndexBytes = 100_000_000;
export const maxShards = 10_000;
const maxMetadataDepth = 16;
/** No separator, so no way out of the folder. */
const shardNamePattern = /^[\w.-]{1,200}\.safetensors$/;

const codes: Record<JsonProblem, EngineErrorCode> = {
  encoding: 'index_not_json',
  syntax: 'index_not_json',
  type: 'index_invalid',
  depth: 'index_not_json',
  duplicate_key: 'index_duplicate_key',
  number: 'index_not_json',
};

/**
 * Reads `model.safetensors.index.json`. Whether the shards have what it says is for the caller to see.
 * @throws EngineError with an `index_...` code
 */
export function parseIndex(bytes: Uint8Array): ShardIndex {
  if (bytes.byteLength > maxIndexBytes) {
    throw new EngineError('index_too_large', `index of ${bytes.byteLength} bytes (at most ${maxIndexBytes})`);
  }
  let metadata: JsonValue = null;
  let weightMap: Map<string, string> | undefined;
  try {
    const scanner = new JsonScanner(decodeJsonText(bytes));
    scanner.object((key) => {
      if (key === 'weight_map') weightMap = readWeightMap(scanner);
      else if (key === 'metadata') metadata = scanner.value(maxMetadataDepth);
      else scanner.value(maxMetadataDepth);
    });
    scanner.end();
  } catch (error) {
    if (error instanceof JsonError) throw new EngineError(codes[error.problem], `index: ${error.message}`);
    throw error;
  }
  if (!weightMap || weightMap.size === 0) throw new EngineError('index_invalid', 'index without a weight_map');
  const totalBytes = findTotal(metadata);
  return totalBytes === undefined ? { weightMap } : { totalBytes, weightMap };
}

function readWeightMap(scanner: JsonScanner): Map<string, string> {
  const weightMap = new Map<string, string>();
  const shards = new Set<string>();
  scanner.object((name) => {
    checkName(name);
    const shard = scanner.string();
    // Checked once for each shard, not for each tensor.
    if (!shards.has(shard)) {
      if (!shardNamePattern.test(shard)) {
        throw new EngineError(
          'index_shard_name_invalid',
          `index: ${quote(shard)} is not the name of a safetensors file`,
        );
      }
      shards.add(shard);
      if (shards.size > maxShards) throw new EngineError('index_invalid', `index of more than ${maxShards} shards`);
    }
    weightMap.set(name, shard);
    if (weightMap.size > maxTensors) throw new EngineError('index_invalid', `index of more than ${maxTensors} tensors`);
  });
  return weightMap;
}

function findTotal(metadata: JsonValue): number | undefined {
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) return undefined;
  const total = metadata['total_size'];
  return typeof total === 'number' && Number.isSafeInteger(total) ? total : undefined;
}
