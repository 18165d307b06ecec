import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertKey } from './object-store.js';
import { findSourceObject, formatSourceKey, isSourceKey } from './source-key.js';

const sourceObject = fc.record({
  bucket: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,30}[a-z0-9]$/),
  name: fc.string({ unit: 'grapheme', minLength: 1 }),
  etag: fc.string({ unit: 'grapheme-ascii', minLength: 1 }),
});

test('the key of an object that stays where it is says which one it is, and is no key of our own', () => {
  fc.assert(
    fc.property(sourceObject, (object) => {
      const key = formatSourceKey(object);
      expect(findSourceObject(key)).toEqual(object);
      expect(isSourceKey(key)).toBe(true);
      expect(() => assertKey(key)).toThrow();
    }),
  );
});

test.each(['blobs/ab', 'merges/1/final-1/README.md'])('%s is one of our own', (key) => {
  expect([isSourceKey(key), findSourceObject(key)]).toEqual([false, undefined]);
});
