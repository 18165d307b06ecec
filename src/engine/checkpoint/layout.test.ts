import { describe, expect, test } from '@jest/globals';

import { parseHeader } from './header.js';
import { indexJson, type OutputTensor, shardFiles } from './layout.js';
import { parseIndex } from './shard-index.js';

const bytes = (name: string, count: number): OutputTensor => ({ name, dtype: 'U8', shape: [count] });
const names = (tensors: readonly OutputTensor[], shardBytes: number) =>
  shardFiles(tensors, shardBytes).map((shard) => shard.tensors.map(({ name }) => name).join(''));

describe('shards', () => {
  test.each([
    [10, ['ab', 'c']],
    [9, ['a', 'b', 'c']],
    [100, ['abc']],
    [15, ['abc']],
    [1, ['a', 'b', 'c']],
  ])('of %d bytes are closed before the tensor that would exceed them: %j', (shardBytes, expected) => {
    expect(names([bytes('a', 5), bytes('b', 5), bytes('c', 5)], shardBytes)).toEqual(expected);
  });

  test('a larger tensor is alone', () => {
    expect(names([bytes('a', 1), bytes('b', 50), bytes('c', 1), bytes('d', 1)], 10)).toEqual(['a', 'b', 'cd']);
  });

  test('an empty tensor opens no shard', () => {
    expect(names([bytes('a', 10), bytes('b', 0), bytes('c', 0)], 10)).toEqual(['abc']);
  });

  test('one is model.safetensors, several are numbered', () => {
    expect(shardFiles([bytes('a', 1)], 10).map(({ name }) => name)).toEqual(['model.safetensors']);
    expect(shardFiles([], 10).map(({ name }) => name)).toEqual(['model.safetensors']);
    expect(shardFiles([bytes('a', 8), bytes('b', 8)], 10).map(({ name }) => name)).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]);
  });

  test('have a header as the reference implementation writes it', () => {
    const [shard] = shardFiles([{ name: 'é', dtype: 'BF16', shape: [2, 3] }], 100);
    const json = '{"__metadata__":{"format":"pt"},"é":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}';
    const padded = Buffer.from(json.padEnd(96 - 1));
    expect(shard?.header).toEqual(Buffer.concat([Buffer.from([96, 0, 0, 0, 0, 0, 0, 0]), padded]));
    expect(shard?.bytes).toBe(8 + 96 + 12);
    expect(shard?.tensors[0]?.offset).toBe(8 + 96);
  });

  test('put wide elements first, so that each tensor is aligned', () => {
    const [shard] = shardFiles(
      [bytes('a', 3), { name: 'b', dtype: 'F64', shape: [1] }, { name: 'c', dtype: 'BF16', shape: [3] }, bytes('d', 1)],
      100,
    );
    expect(shard?.tensors.map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd']);
    expect(shard?.tensors.map(({ offset }) => offset % 8)).toEqual([0, 0, 6, 1]);
  });

  test.each([
    ['twice', [bytes('a', 1), bytes('a', 1)]],
    ['reserved', [bytes('__metadata__', 1)]],
    ['uncountable', [{ name: 'a', dtype: 'F64', shape: [2 ** 52] }]],
    ['half a byte', [{ name: 'a', dtype: 'F4', shape: [1] }]],
  ] as [string, OutputTensor[]][])('refuse a tensor that is %s', (_, tensors) => {
    expect(() => shardFiles(tensors, 10)).toThrow(expect.objectContaining({ code: 'output_tensor_invalid' }));
  });

  test('a tensor called __proto__ is written and read', () => {
    const [shard] = shardFiles([bytes('__proto__', 1)], 10);
    if (!shard) throw new Error('no shard');
    expect(parseHeader(shard.header, shard.bytes).tensors[0]?.name).toBe('__proto__');
  });
});

test('the index is what transformers writes', () => {
  const shards = shardFiles([bytes('b', 8), bytes('a', 8)], 10);
  expect(indexJson(shards)).toBe(`{
  "metadata": {
    "total_size": 16
  },
  "weight_map": {
    "a": "model-00002-of-00002.safetensors",
    "b": "model-00001-of-00002.safetensors"
  }
}
`);
  expect(parseIndex(Buffer.from(indexJson(shards))).totalBytes).toBe(16);
});
