import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findHubReference, formatHubReference, isHubRepository, isHubRevision } from './hub-reference.js';

const word = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
const repository = fc
  .tuple(word, word)
  .map(([a, b]) => `${a}/${b}`)
  .filter(isHubRepository);
const revision = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,30}$/).filter(isHubRevision), {
  nil: undefined,
});

describe('references to the Hub', () => {
  test('what is formatted is read as the same', () => {
    fc.assert(
      fc.property(fc.record({ repository, revision }), (reference) => {
        expect(findHubReference(formatHubReference(reference))).toEqual(reference);
      }),
    );
  });

  test('whatever is read can be put into a path without changing it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((rest) => `hf:org/name@${rest}`),
      fc.tuple(fc.string(), fc.string()).map(([a, b]) => `hf:${a}/${b}`),
    );
    fc.assert(
      fc.property(text, (written) => {
        const found = findHubReference(written);
        if (!found) return;
        expect(formatHubReference(found)).toBe(written);
        const path = `/${found.repository}/resolve/${found.revision ?? 'main'}/config.json`;
        expect(new URL(path, 'https://hub.test').pathname).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['hf:meta-llama/Llama-3.1-8B', 'hf:o/n@main', 'hf:o/n@refs/pr/1', 'hf:o/n@v1.0', 'hf:o/n@feat/x'])(
    '%s is one',
    (text) => {
      expect(findHubReference(text)).toBeDefined();
    },
  );

  test.each([
    ...['org/name', 'hf:name', 'hf:a/b/c', 'hf:../x', 'hf:a/..', 'hf:a/b@', 'hf:a/b@..', 'hf:a/b@x?y', 'hf:a/b@x#y'],
    ...['hf:a/b@/x', 'hf:a/b@x//y', 'hf:a/b.git', 'hf:a/b--c', 'hf:a/b@x\ny', 'hf://a/b', 'HF:a/b', 'hf:a/b@x%2fy'],
  ])('%j is none', (text) => {
    expect(findHubReference(text)).toBeUndefined();
  });
});
