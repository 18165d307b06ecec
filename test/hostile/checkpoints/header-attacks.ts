import type { EngineErrorCode } from '../../../src/engine/errors.js';
import { rawSafetensors, text } from '../../support/checkpoint-bytes.js';
import type { CheckpointAttack } from './attack.js';

const config = text('{"architectures":["LlamaForCausalLM"],"model_type":"llama"}');

/** A whole file, whatever it is. */
function file(name: string, code: EngineErrorCode, bytes: () => Uint8Array): CheckpointAttack {
  return {
    name: `header: ${name}`,
    code,
    files: () => ({ 'config.json': config, 'model.safetensors': bytes() }),
  };
}

/** A header's text over `dataBytes` bytes of data. */
function header(name: string, code: EngineErrorCode, json: string, dataBytes = 0): CheckpointAttack {
  return file(name, code, () => rawSafetensors(json, dataBytes));
}

/** One tensor "a" with this entry. */
function entry(name: string, code: EngineErrorCode, json: string, dataBytes = 0): CheckpointAttack {
  return header(name, code, `{"a":${json}}`, dataBytes);
}

function byte(name: string, begin: number, end: number): string {
  return `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;
}

const valid = `{${byte('a', 0, 4)}}`;

export const headerAttacks: readonly CheckpointAttack[] = [
  file('an empty file', 'header_truncated', () => new Uint8Array(0)),
  file('seven bytes', 'header_truncated', () => new Uint8Array(7)),
  file('a length one beyond the file', 'header_truncated', () => rawSafetensors(valid, 0, BigInt(valid.length + 1))),
  file('a length of zero', 'header_not_json', () => rawSafetensors('', 0)),
  file('a length of zero before a valid header', 'header_not_json', () => rawSafetensors(valid, 4, 0n)),
  file('a length one above the cap', 'header_too_large', () => rawSafetensors(valid, 4, 100_000_001n)),
  file('a length of 2^64-1', 'header_too_large', () => rawSafetensors(valid, 4, 2n ** 64n - 1n)),
  file('a length that is negative as a signed number', 'header_too_large', () => rawSafetensors(valid, 4, 2n ** 63n)),
  file('an HTML page', 'header_too_large', () => text('<!doctype html><title>404</title>')),
  file('a zip archive (a renamed .bin)', 'header_too_large', () => Buffer.from('504b0304140000000800', 'hex')),
  file('a Git LFS pointer', 'file_is_lfs_pointer', () =>
    text(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4\n`),
  ),

  header('no JSON', 'header_not_json', 'hello, world'),
  header('JSON cut in the middle', 'header_not_json', valid.slice(0, -3), 4),
  header('a trailing comma', 'header_not_json', `{${byte('a', 0, 4)},}`, 4),
  header('a comment', 'header_not_json', `{/* */${byte('a', 0, 4)}}`, 4),
  header('single quotes', 'header_not_json', valid.replaceAll('"', "'"), 4),
  header('a second document behind the first', 'header_not_json', `${valid}${valid}`, 4),
  header('padding of NUL instead of spaces', 'header_not_json', `${valid}\0\0\0`, 4),
  header('a raw line feed in a name', 'header_not_json', `{${byte('a\n', 0, 4)}}`, 4),
  header('half of a surrogate pair', 'header_not_json', `{${byte('\\ud800', 0, 4)}}`, 4),
  header('a wrong escape', 'header_not_json', `{${byte('\\x41', 0, 4)}}`, 4),
  header('a leading zero', 'header_not_json', valid.replace('[0,4]', '[00,4]'), 4),
  header('an array', 'header_entry_invalid', `[${valid}]`, 4),
  file('a byte order mark', 'header_not_utf8', () => rawSafetensors(`\ufeff${valid}`, 4)),
  file('invalid UTF-8', 'header_not_utf8', () => rawSafetensors(Buffer.from(`{${byte('\xff', 0, 4)}}`, 'latin1'), 4)),
  file('an overlong UTF-8 quote', 'header_not_utf8', () =>
    rawSafetensors(Buffer.from(`{${byte('\xc0\xa2', 0, 4)}}`, 'latin1'), 4),
  ),
  file('UTF-16', 'header_not_json', () => rawSafetensors(Buffer.from(valid, 'utf16le'), 4)),

  header(
    'one name twice, read differently by first-wins and last-wins programs',
    'header_duplicate_key',
    '{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}',
    4,
  ),
  header('one name twice, once escaped', 'header_duplicate_key', `{${byte('a', 0, 4)},${byte('\\u0061', 4, 8)}}`, 8),
  header('__metadata__ twice', 'header_duplicate_key', `{"__metadata__":{},"__metadata__":{},${byte('a', 0, 4)}}`, 4),
  header(
    'a key twice in the metadata',
    'header_duplicate_key',
    `{"__metadata__":{"a":"","a":""},${byte('b', 0, 4)}}`,
    4,
  ),
  entry('dtype twice', 'header_duplicate_key', '{"dtype":"F16","dtype":"BF16","shape":[2],"data_offsets":[0,4]}', 4),

  entry(
    '__proto__ in an entry',
    'header_entry_invalid',
    '{"__proto__":{"dtype":"U8"},"shape":[4],"data_offsets":[0,4]}',
    4,
  ),
  entry('an unknown key', 'header_entry_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[0,4],"strides":[1]}', 4),
  entry('no shape', 'header_entry_invalid', '{"dtype":"U8","data_offsets":[0,4]}', 4),
  entry('no offsets', 'header_entry_invalid', '{"dtype":"U8","shape":[4]}', 4),
  entry('null', 'header_entry_invalid', 'null', 0),
  entry('a shape that is a number', 'header_entry_invalid', '{"dtype":"U8","shape":4,"data_offsets":[0,4]}', 4),
  entry('offsets that are strings', 'header_entry_invalid', '{"dtype":"U8","shape":[4],"data_offsets":["0","4"]}', 4),
  entry('an unknown dtype', 'header_dtype_unknown', '{"dtype":"F12","shape":[4],"data_offsets":[0,4]}', 4),
  entry(
    'a dtype of an object prototype',
    'header_dtype_unknown',
    '{"dtype":"constructor","shape":[4],"data_offsets":[0,4]}',
    4,
  ),
  entry('a dtype in lower case', 'header_dtype_unknown', '{"dtype":"bf16","shape":[2],"data_offsets":[0,4]}', 4),

  header('two tensors that overlap', 'header_offsets_invalid', `{${byte('a', 0, 4)},${byte('b', 2, 6)}}`, 6),
  header('two tensors on the same bytes', 'header_offsets_invalid', `{${byte('a', 0, 4)},${byte('b', 0, 4)}}`, 4),
  header('a hole between tensors', 'header_offsets_invalid', `{${byte('a', 0, 4)},${byte('b', 6, 8)}}`, 8),
  header('a hole before the first tensor', 'header_offsets_invalid', `{${byte('a', 4, 8)}}`, 8),
  header('an empty tensor in a hole', 'header_offsets_invalid', `{${byte('a', 0, 4)},${byte('b', 9, 9)}}`, 4),
  file('another file behind the last tensor', 'header_offsets_invalid', () =>
    Buffer.concat([rawSafetensors(valid, 4), Buffer.from('504b0506', 'hex'), Buffer.alloc(18)]),
  ),
  header('data without tensors', 'header_offsets_invalid', '{}', 4),
  header('fewer bytes than the tensors need', 'header_offsets_invalid', valid, 3),
  entry('begin after end', 'header_offsets_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[4,0]}', 4),
  entry('one offset', 'header_offsets_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[4]}', 4),
  entry('three offsets', 'header_offsets_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}', 4),
  entry('a negative offset', 'header_number_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}', 4),
  entry('an offset of minus zero', 'header_number_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[-0,4]}', 4),
  entry('an offset with a fraction', 'header_number_invalid', '{"dtype":"U8","shape":[4],"data_offsets":[0.0,4]}', 4),
  entry(
    'an offset of 2^53+1',
    'header_number_invalid',
    '{"dtype":"U8","shape":[4],"data_offsets":[0,9007199254740993]}',
    4,
  ),
  entry(
    'an offset of 400 digits',
    'header_number_invalid',
    `{"dtype":"U8","shape":[4],"data_offsets":[0,${'9'.repeat(400)}]}`,
    4,
  ),
  entry('a size of 1e3', 'header_number_invalid', '{"dtype":"U8","shape":[1e3],"data_offsets":[0,1000]}', 1000),
  entry('a negative size', 'header_number_invalid', '{"dtype":"U8","shape":[-2,-2],"data_offsets":[0,4]}', 4),
  entry('a size that is NaN', 'header_not_json', '{"dtype":"U8","shape":[NaN],"data_offsets":[0,4]}', 4),

  entry(
    'a shape whose product wraps to 4',
    'header_shape_invalid',
    '{"dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}',
    4,
  ),
  entry(
    'an overflow hidden by a zero',
    'header_shape_invalid',
    '{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}',
  ),
  entry(
    'nine dimensions',
    'header_shape_invalid',
    '{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,4]}',
    4,
  ),
  entry('a shape smaller than its bytes', 'header_shape_invalid', '{"dtype":"U8","shape":[3],"data_offsets":[0,4]}', 4),
  entry('a shape larger than its bytes', 'header_shape_invalid', '{"dtype":"F32","shape":[4],"data_offsets":[0,4]}', 4),
  entry('half a byte', 'header_shape_invalid', '{"dtype":"F4","shape":[7],"data_offsets":[0,4]}', 4),

  header('an empty name', 'header_name_invalid', `{${byte('', 0, 4)}}`, 4),
  header('NUL in a name', 'header_name_invalid', `{${byte('a\\u0000b', 0, 4)}}`, 4),
  header('a name of 1,025 bytes', 'header_name_invalid', `{${byte('n'.repeat(1025), 0, 4)}}`, 4),
  header('a name of 513 letters of two bytes', 'header_name_invalid', `{${byte('é'.repeat(513), 0, 4)}}`, 4),

  header('metadata that is a list', 'header_metadata_invalid', `{"__metadata__":["pt"],${byte('a', 0, 4)}}`, 4),
  header('metadata with a number', 'header_metadata_invalid', `{"__metadata__":{"format":1},${byte('a', 0, 4)}}`, 4),
  header(
    'metadata with an object',
    'header_metadata_invalid',
    `{"__metadata__":{"__proto__":{}},${byte('a', 0, 4)}}`,
    4,
  ),
  header('metadata of 100,000 nested objects', 'header_metadata_invalid', `{"__metadata__":${'{"a":'.repeat(100_000)}`),
  header('100,000 nested lists', 'header_entry_invalid', `{"a":${'['.repeat(100_000)}`),
  header('100,000 nested lists in a shape', 'header_entry_invalid', `{"a":{"shape":${'['.repeat(100_000)}`),
];
