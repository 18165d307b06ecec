import { expect, test } from '@jest/globals';

import { rawSafetensors } from '../../../test/support/checkpoint-bytes.js';
import { parseHeader } from './header.js';

function parse(json: string, dataBytes: number) {
  const bytes = rawSafetensors(json, dataBytes);
  return parseHeader(bytes, bytes.byteLength);
}

test('reads tensors in the order of their bytes, whatever the order of their names', () => {
  const header = parse(
    ` {"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},"__metadata__":{"format":"pt","x":""},
      "a":{"data_offsets":[0,4],"dtype":"F32","shape":[]}}   `,
    16,
  );
  expect(header.tensors).toEqual([
    { name: 'a', dtype: 'F32', shape: [], begin: 0, end: 4 },
    { name: 'b', dtype: 'BF16', shape: [2, 3], begin: 4, end: 16 },
  ]);
  expect([...header.metadata]).toEqual([
    ['format', 'pt'],
    ['x', ''],
  ]);
  expect(header.dataStart % 1).toBe(0);
});

test('a file without tensors is a file', () => {
  expect(parse('{}', 0).tensors).toEqual([]);
  expect(parse('{"__metadata__":{}}', 0).dataStart).toBe(27);
});

test('an empty tensor lies between two others, or at the end', () => {
  const entry = (name: string, begin: number, end: number) =>
    `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;
  const { tensors } = parse(
    `{${entry('b', 4, 8)},${entry('empty', 4, 4)},${entry('a', 0, 4)},${entry('end', 8, 8)}}`,
    8,
  );
  expect(tensors.map(({ name }) => name)).toEqual(['a', 'empty', 'b', 'end']);
});

test('a header may be given with bytes behind it, and inside a larger buffer', () => {
  const bytes = rawSafetensors('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', 4);
  const larger = Buffer.concat([Buffer.alloc(3, 0xff), bytes]);
  expect(parseHeader(larger.subarray(3), bytes.byteLength).tensors).toHaveLength(1);
  expect(() => parseHeader(bytes.subarray(0, 30), bytes.byteLength)).toThrow('of which 22 came');
});

test('the error names the tensor', () => {
  const json = '{"model.norm.weight":{"dtype":"F12","shape":[4],"data_offsets":[0,4]}}';
  expect(() => parse(json, 4)).toThrow(
    expect.objectContaining({ code: 'header_dtype_unknown', details: { tensor: 'model.norm.weight' } }),
  );
});
