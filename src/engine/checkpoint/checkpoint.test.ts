import { describe, expect, test } from '@jest/globals';

import { memoryFiles, text, zeroCheckpoint } from '../../../test/support/checkpoint-bytes.js';
import { sharedPath } from '../../../test/support/shared.js';
import { inspect } from './checkpoint.js';
import { localDirectory } from './files.js';
import type { OutputTensor } from './layout.js';

const tensors: OutputTensor[] = [
  { name: 'model.embed_tokens.weight', dtype: 'BF16', shape: [4, 2] },
  { name: 'model.norm.weight', dtype: 'F32', shape: [2] },
  { name: 'scalar', dtype: 'F32', shape: [] },
];
const config = text('{"architectures":["LlamaForCausalLM"],"model_type":"llama","rms_norm_eps":1e-05}');

describe('inspect', () => {
  test('one file', async () => {
    const checkpoint = await inspect(memoryFiles({ ...zeroCheckpoint(tensors), 'config.json': config }));
    expect(checkpoint).toMatchObject({
      shards: ['model.safetensors'],
      parameterCount: 11,
      dtypes: { BF16: 1, F32: 2 },
      architecture: 'LlamaForCausalLM',
      modelType: 'llama',
      warnings: [],
    });
    expect(checkpoint.quantisation).toBeUndefined();
    expect(checkpoint.numberSpellings.get('/rms_norm_eps')).toBe('1e-05');
    expect([...checkpoint.tensors.keys()]).toEqual(['model.norm.weight', 'scalar', 'model.embed_tokens.weight']);
  });

  test('the offset counts from the start of the file', async () => {
    const folder = zeroCheckpoint(tensors);
    const found = (await inspect(memoryFiles(folder))).tensors.get('model.embed_tokens.weight');
    expect((found?.offset ?? 0) + (found?.bytes ?? 0)).toBe(folder['model.safetensors']?.byteLength);
    expect(found?.bytes).toBe(16);
  });

  test('shards with an index, without config.json', async () => {
    const checkpoint = await inspect(memoryFiles(zeroCheckpoint(tensors, 8)));
    expect(checkpoint.shards).toHaveLength(3);
    expect(checkpoint.config).toBeUndefined();
    expect(checkpoint.tensors.get('scalar')?.file).toBe('model-00003-of-00003.safetensors');
  });

  test('an index may name the single file', async () => {
    const folder = zeroCheckpoint([{ name: 'a', dtype: 'F32', shape: [1] }]);
    folder['model.safetensors.index.json'] = text('{"weight_map":{"a":"model.safetensors"}}');
    expect((await inspect(memoryFiles(folder))).shards).toEqual(['model.safetensors']);
  });

  test('another total_size than the tensors have is a warning', async () => {
    const folder = zeroCheckpoint(tensors, 8);
    const index = Buffer.from(folder['model.safetensors.index.json'] ?? '').toString();
    folder['model.safetensors.index.json'] = text(index.replace('"total_size": 28', '"total_size": 29'));
    expect((await inspect(memoryFiles(folder))).warnings).toEqual([
      'the index says total_size 29, the tensors have 28 bytes',
    ]);
  });

  test('a header longer than the first read', async () => {
    const many = Array.from({ length: 2000 }, (_, at): OutputTensor => ({ name: `t${at}`, dtype: 'U8', shape: [1] }));
    const reads: number[] = [];
    const files = memoryFiles(zeroCheckpoint(many));
    const checkpoint = await inspect({
      list: files.list,
      read: (path, offset, length) => {
        reads.push(length);
        return files.read(path, offset, length);
      },
    });
    expect(checkpoint.tensors.size).toBe(2000);
    expect(reads).toHaveLength(2);
  });

  test('other weights beside model.safetensors do not count', async () => {
    const folder = {
      ...zeroCheckpoint(tensors),
      'pytorch_model.bin': text(''),
      'original/consolidated.00.pth': text(''),
    };
    expect((await inspect(memoryFiles(folder))).tensors.size).toBe(3);
  });

  test('quantised by its tensors, or by its config', async () => {
    const scale: OutputTensor = { name: 'a.weight_scale_inv', dtype: 'F32', shape: [1] };
    expect((await inspect(memoryFiles(zeroCheckpoint([...tensors, scale])))).quantisation).toBe('fp8');
    const declared = text('{"quantization_config":{"quant_method":"awq"}}');
    const folder = { ...zeroCheckpoint(tensors), 'config.json': declared };
    expect((await inspect(memoryFiles(folder))).quantisation).toBe('awq');
  });

  test('names that could not be shown are left out', async () => {
    const odd = text(`{"architectures":["A\\u0000"],"model_type":"${'x'.repeat(129)}"}`);
    const checkpoint = await inspect(memoryFiles({ ...zeroCheckpoint(tensors), 'config.json': odd }));
    expect(checkpoint.architecture ?? checkpoint.modelType).toBeUndefined();
  });

  test('of several wrong shards the first by name is reported', async () => {
    const folder = zeroCheckpoint(tensors, 8);
    folder['model-00002-of-00003.safetensors'] = text('wrong');
    folder['model-00003-of-00003.safetensors'] = text('wrong too');
    await expect(inspect(memoryFiles(folder))).rejects.toMatchObject({
      code: 'header_truncated',
      details: { file: 'model-00002-of-00003.safetensors' },
    });
  });
});

const parity = sharedPath('parity/models/a');
(parity === undefined ? test.skip : test)('a checkpoint that safetensors wrote', async () => {
  const checkpoint = await inspect(localDirectory(parity ?? ''));
  expect(checkpoint).toMatchObject({ parameterCount: 6640, dtypes: { F32: 30 }, architecture: 'LlamaForCausalLM' });
});
