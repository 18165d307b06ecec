import { describe, expect, it } from '@jest/globals';
import { parseShardSize } from './shard-size.js';

describe('parseShardSize', () => {
  it.each([
    ['5B', 5_000_000_000],
    ['500M', 500_000_000],
    ['500m', 500_000_000],
    ['3k', 3_000],
    [' 1048576 ', 1_048_576],
  ])('reads %j as mergekit-yaml does', (text, bytes) => expect(parseShardSize(text)).toBe(bytes));

  it.each(['', '1.5B', '5GB', '5G', '-1', '0', '0k', 'B', '1e9', '9007199254740993', '10000000000B'])(
    'refuses %j',
    (text) => expect(() => parseShardSize(text)).toThrow(RangeError),
  );
});
