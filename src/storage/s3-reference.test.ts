import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findS3Reference, folderOf, formatS3Reference, isBucket, isPrefix } from './s3-reference.js';

const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,30}[a-z0-9]$/).filter(isBucket);
const segment = fc.stringMatching(/^[A-Za-z0-9!_.*'()=+@,:~-]{1,20}$/);
const prefix = fc
  .array(segment, { maxLength: 5 })
  .map((parts) => parts.join('/'))
  .filter(isPrefix);

describe('references to a bucket', () => {
  test('what is formatted is read as the same, with a slash at its end or without', () => {
    fc.assert(
      fc.property(fc.record({ bucket, prefix }), (reference) => {
        const text = formatS3Reference(reference);
        expect(findS3Reference(text)).toEqual(reference);
        expect(findS3Reference(`${text}/`)).toEqual(reference);
      }),
    );
  });

  test('whatever is read stays in its bucket and its folder, as a URL too', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((rest) => `s3://models/${rest}`),
      fc.array(fc.constantFrom('a', '.', '..', '/', '%2e', '\\', '?', '#', '@', ' ', '\n')).map((parts) => {
        return `s3://models/${parts.join('')}`;
      }),
    );
    fc.assert(
      fc.property(text, (written) => {
        const found = findS3Reference(written);
        if (!found) return;
        expect(formatS3Reference(found)).toBe(written.replace(/\/$/, ''));
        const path = `/${found.bucket}/${folderOf(found)}config.json`;
        expect(decodeURIComponent(new URL(path, 'https://s3.test').pathname)).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['s3://models', 's3://models/', 's3://my.models/a/b', 's3://models/übung/7b@v1.0'])('%s is one', (text) => {
    expect(findS3Reference(text)).toBeDefined();
  });

  test.each([
    ...[
      's3:/models',
      's3://',
      's3://models//',
      's3://m',
      's3://Models/a',
      's3://mod..els/a',
      's3://user:pass@models/a',
      'S3://models',
    ],
    ...['s3://models/../a', 's3://models/a/./b', 's3://models//a', 's3://models/a//', 's3://models/a b', 'hf:org/name'],
    ...[`s3://models/${'a'.repeat(401)}`, 's3://models/a?versionId=1', 's3://models/a#b', 's3://models/a%2fb'],
  ])('%s is none', (text) => {
    expect(findS3Reference(text)).toBeUndefined();
  });
});
