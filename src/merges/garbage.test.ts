import { describe, expect, test } from '@jest/globals';
import { isOfEnded } from './garbage.js';

describe('what belongs to an ended merge', () => {
  const ended = { id: 'm', attempt: 2, attempts: { '0': 1, '1': 3 } };

  test.each([
    ['merges/m/shard-0-1', true],
    ['merges/m/shard-0-2', false],
    ['merges/m/shard-1-3', true],
    ['merges/m/shard-7-9', true],
    ['merges/m/final-2/README.md', true],
    ['merges/m/final-3/README.md', false],
    ['merges/m/other', false],
  ])('%s: %s', (key, belongs) => {
    expect(isOfEnded(key, ended)).toBe(belongs);
  });
});
