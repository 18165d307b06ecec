import { expect, test } from '@jest/globals';

import { dtypes, findByteLength, findDtype, isDtype, torchName } from './dtype.js';

test('names lead back to their dtype, with and without "torch."', () => {
  for (const dtype of dtypes) {
    expect(findDtype(torchName(dtype))).toBe(dtype);
    expect(findDtype(`torch.${torchName(dtype)}`)).toBe(dtype);
  }
  expect(findDtype('bf16')).toBeUndefined();
  expect(findDtype('constructor')).toBeUndefined();
});

test('only the spellings of the format are dtypes', () => {
  expect(['F64', 'BF16', 'F8_E4M3', 'BOOL'].every(isDtype)).toBe(true);
  expect(['bf16', 'FLOAT32', '', 'toString', '__proto__'].some(isDtype)).toBe(false);
});

test.each([
  ['BF16', 3, 6],
  ['C64', 3, 24],
  ['F4', 2, 1],
  ['F4', 3, undefined],
  ['F6_E2M3', 4, 3],
  ['F6_E2M3', 5, undefined],
  ['F64', 2 ** 50 - 1, 2 ** 53 - 8],
  ['F64', 2 ** 50, undefined],
  ['F6_E3M2', 2 ** 51, undefined],
] as const)('%s x %d takes %s bytes', (dtype, elements, bytes) => {
  expect(findByteLength(dtype, elements)).toBe(bytes);
});
