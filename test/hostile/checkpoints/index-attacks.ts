import type { EngineErrorCode } from '../../../src/engine/errors.js';
import { type Folder, text, zeroCheckpoint } from '../../support/checkpoint-bytes.js';
import type { CheckpointAttack } from './attack.js';

const first = 'model-00001-of-00002.safetensors';
const second = 'model-00002-of-00002.safetensors';

/** Shards with "a" and "b", and whatever index. */
function index(name: string, code: EngineErrorCode, json: string, more: () => Folder = () => ({})): CheckpointAttack {
  return {
    name: `index: ${name}`,
    code,
    files: () => ({
      ...zeroCheckpoint([tensor('a'), tensor('b')], 4),
      'config.json': text('{"architectures":["LlamaForCausalLM"]}'),
      'model.safetensors.index.json': text(json),
      ...more(),
    }),
  };
}

function tensor(name: string): { name: string; dtype: 'F32'; shape: number[] } {
  return { name, dtype: 'F32', shape: [1] };
}

/** One shard that has these tensors. */
function shard(...names: string[]): Uint8Array {
  return zeroCheckpoint(names.map(tensor))['model.safetensors'] ?? new Uint8Array(0);
}

function weightMap(entries: Record<string, unknown>): string {
  return JSON.stringify({ metadata: { total_size: 8 }, weight_map: entries });
}

const manyShards = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`t${at}`, `s${at}.safetensors`]));

export const indexAttacks: readonly CheckpointAttack[] = [
  index('a shard above the folder', 'index_shard_name_invalid', weightMap({ a: '../model.safetensors', b: second })),
  index('an absolute path', 'index_shard_name_invalid', weightMap({ a: '/etc/model.safetensors', b: second })),
  index('a backslash', 'index_shard_name_invalid', weightMap({ a: '..\\model.safetensors', b: second })),
  index('a URL', 'index_shard_name_invalid', weightMap({ a: 'https://example.org/model.safetensors', b: second })),
  index('NUL in a shard name', 'index_shard_name_invalid', weightMap({ a: 'model\0.safetensors', b: second })),
  index('a line feed behind a shard name', 'index_shard_name_invalid', weightMap({ a: `${first}\n`, b: second })),
  index('a pickled shard', 'index_shard_name_invalid', weightMap({ a: 'pytorch_model-00001-of-00002.bin', b: second })),
  index('an empty shard name', 'index_shard_name_invalid', weightMap({ a: '', b: second })),
  index(
    'a shard that is not there',
    'index_shard_missing',
    weightMap({ a: 'model-00003-of-00003.safetensors', b: second }),
  ),
  index('both tensors in the other shard', 'index_tensor_misplaced', weightMap({ a: second, b: first })),
  index('a tensor in two shards', 'index_tensor_misplaced', weightMap({ a: first, b: second }), () => ({
    [second]: shard('a', 'b'),
  })),
  index('a tensor that no shard has', 'index_tensor_missing', weightMap({ a: first, b: second, c: second })),
  index('a tensor that is not listed', 'index_tensor_unlisted', weightMap({ a: first, b: second }), () => ({
    [second]: shard('b', 'hidden'),
  })),
  index('shards that are empty', 'header_truncated', weightMap({ a: first, b: second }), () => ({
    [first]: new Uint8Array(0),
  })),
  index('no JSON', 'index_not_json', 'weight_map: {}'),
  index('an empty file', 'index_not_json', ''),
  index('JSON cut in the middle', 'index_not_json', weightMap({ a: first, b: second }).slice(0, -2)),
  index('a second document behind the first', 'index_not_json', `${weightMap({ a: first, b: second })}{}`),
  index('metadata of 100,000 nested lists', 'index_not_json', `{"metadata":${'['.repeat(100_000)}`),
  index('__proto__ in the metadata', 'index_not_json', `{"metadata":{"__proto__":{}},"weight_map":{"a":"${first}"}}`),
  index('a list', 'index_invalid', '[]'),
  index('no weight_map', 'index_invalid', '{"metadata":{"total_size":8}}'),
  index('an empty weight_map', 'index_invalid', weightMap({})),
  index('a weight_map that is a list', 'index_invalid', `{"weight_map":["${first}"]}`),
  index('a shard that is a number', 'index_invalid', weightMap({ a: 1, b: second })),
  index('10,001 shards', 'index_invalid', weightMap(manyShards)),
  index('a tensor twice', 'index_duplicate_key', `{"weight_map":{"a":"${first}","a":"${second}","b":"${second}"}}`),
  index('weight_map twice', 'index_duplicate_key', `{"weight_map":{"a":"${first}"},"weight_map":{"b":"${second}"}}`),
  index('NUL in a tensor name', 'header_name_invalid', weightMap({ 'a\0': first, b: second })),
  index(
    'a model.safetensors that the index does not know',
    'weights_ambiguous',
    weightMap({ a: first, b: second }),
    () => ({
      'model.safetensors': shard('a', 'b'),
    }),
  ),
];
