import { describe, expect, test } from '@jest/globals';

import { inspect } from '../../src/engine/checkpoint/checkpoint.js';
import type { OutputTensor } from '../../src/engine/checkpoint/layout.js';
import { inspectOffThread } from '../../src/engine/checkpoint/off-thread.js';
import { memoryFiles, text, zeroCheckpoint } from '../support/checkpoint-bytes.js';

/** A header and an index above the size that is parsed in place. */
const many = Array.from({ length: 20_000 }, (_, at): OutputTensor => {
  const name = `model.layers.${at >> 8}.mlp.experts.${at & 255}.${at % 7 === 0 ? 'é' : 'down'}_proj.weight`;
  return { name, dtype: at % 5 === 0 ? 'F32' : 'BF16', shape: at % 11 === 0 ? [] : [1, at % 3] };
});

describe('on its own thread', () => {
  test.each([
    ['one file', 2 ** 40],
    ['two shards and their index', 60_000],
  ])('%s is read as on this one', async (_, shardBytes) => {
    const files = memoryFiles(zeroCheckpoint(many, shardBytes));
    const [expected, found] = await Promise.all([inspect(files), inspectOffThread(files)]);
    expect(found.tensors.size).toBe(many.length);
    expect(found).toEqual(expected);
    expect([...found.tensors.keys()]).toEqual([...expected.tensors.keys()]);
  });

  test('a refusal comes with its code, tensor and file', async () => {
    const folder = zeroCheckpoint(many);
    const bytes = Buffer.from(folder['model.safetensors'] ?? '');
    bytes.write('F99', bytes.indexOf('"F32"') + 1);
    await expect(inspectOffThread(memoryFiles({ 'model.safetensors': bytes }))).rejects.toMatchObject({
      name: 'EngineError',
      code: 'header_dtype_unknown',
      details: { file: 'model.safetensors', tensor: many[0]?.name },
    });
  });

  test('an index that is wrong at its end', async () => {
    const folder = zeroCheckpoint(many, 60_000);
    const index = Buffer.from(folder['model.safetensors.index.json'] ?? '').toString();
    folder['model.safetensors.index.json'] = text(index.trimEnd().slice(0, -1));
    await expect(inspectOffThread(memoryFiles(folder))).rejects.toMatchObject({
      code: 'index_not_json',
      details: { file: 'model.safetensors.index.json' },
    });
  });
});
