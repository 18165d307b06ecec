import type { EngineErrorCode } from '../../../src/engine/errors.js';
import { type Folder, text, zeroCheckpoint } from '../../support/checkpoint-bytes.js';
import type { CheckpointAttack } from './attack.js';

const tensors = [
  { name: 'a', dtype: 'F32', shape: [1] },
  { name: 'b', dtype: 'F32', shape: [1] },
] as const;

function folder(name: string, code: EngineErrorCode, files: () => Folder): CheckpointAttack {
  return { name: `folder: ${name}`, code, files };
}

/** Valid weights beside this config.json. */
function config(name: string, code: EngineErrorCode, bytes: () => Uint8Array): CheckpointAttack {
  return {
    name: `config.json: ${name}`,
    code,
    files: () => ({ ...zeroCheckpoint(tensors), 'config.json': bytes() }),
  };
}

const good = text('{"architectures":["LlamaForCausalLM"]}');

export const folderAttacks: readonly CheckpointAttack[] = [
  folder('nothing but a config', 'weights_missing', () => ({ 'config.json': good })),
  folder('pickled weights', 'pickle_not_supported', () => ({
    'config.json': good,
    'pytorch_model.bin': text('\x80\x02cposix\nsystem\n'),
  })),
  folder('pickled shards with an index', 'pickle_not_supported', () => ({
    'config.json': good,
    'pytorch_model-00001-of-00001.bin': text('\x80\x02.'),
    'pytorch_model.bin.index.json': text('{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}'),
  })),
  folder('shards without an index', 'index_missing', () => {
    const { 'model.safetensors.index.json': _, ...shards } = zeroCheckpoint(tensors, 4);
    return { ...shards, 'config.json': good };
  }),
  folder('a LoRA adapter', 'weights_missing', () => ({
    'config.json': good,
    'adapter_model.safetensors': zeroCheckpoint(tensors)['model.safetensors'] ?? new Uint8Array(0),
  })),
  folder('GGUF', 'weights_missing', () => ({ 'config.json': good, 'model.gguf': text('GGUF') })),
  folder('weights in a subfolder', 'weights_missing', () => ({
    'config.json': good,
    'original/model.safetensors': zeroCheckpoint(tensors)['model.safetensors'] ?? new Uint8Array(0),
  })),
  folder('no config.json', 'config_missing', () => zeroCheckpoint(tensors)),

  config('an empty file', 'config_invalid', () => text('')),
  config('no JSON', 'config_invalid', () => text('model_type: llama')),
  config('a list', 'config_invalid', () => text('[{"model_type":"llama"}]')),
  config('a string', 'config_invalid', () => text('"llama"')),
  config('100,000 nested lists', 'config_invalid', () => text(`{"a":${'['.repeat(100_000)}`)),
  config('65 nested objects', 'config_invalid', () => text(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`)),
  config('a key twice', 'config_invalid', () => text('{"hidden_size":1,"hidden_size":2}')),
  config('__proto__', 'config_invalid', () => text('{"__proto__":{"model_type":"llama"}}')),
  config('a byte order mark', 'config_invalid', () => text('\ufeff{}')),
  config('invalid UTF-8', 'config_invalid', () => Buffer.from('{"model_type":"\xff"}', 'latin1')),
  config('a comment', 'config_invalid', () => text('{} // llama')),
  config('8 MiB and a byte', 'config_too_large', () => Buffer.alloc(8 * 2 ** 20 + 1, ' ')),
];
