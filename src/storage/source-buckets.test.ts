import { describe, expect, test } from '@jest/globals';
import type { S3Source } from '../config.js';
import { StorageError } from './object-store.js';
import { SourceBuckets } from './source-buckets.js';

const source = (bucket: string, prefix: string, ...namespaces: string[]): S3Source => {
  return { bucket, prefix, url: 'http://127.0.0.1:1', region: 'us-east-1', namespaces };
};
const buckets = new SourceBuckets([
  source('models', 'released', 'team', 'other'),
  source('models', 'common', '*'),
  source('whole', '', 'team'),
]);

describe('the buckets that may be read', () => {
  test.each([
    ['models', 'released', 'team', true],
    ['models', 'released/7b', 'other', true],
    ['models', 'released/7b', 'third', false],
    ['models', 'released/7b', undefined, false],
    ['models', 'released-later', 'team', false],
    ['models', 'release', 'team', false],
    ['models', '', 'team', false],
    ['models', 'common/7b', 'third', true],
    ['models', 'common/7b', undefined, true],
    ['whole', '', 'team', true],
    ['whole', 'a/b', 'team', true],
    ['whole', 'a/b', '*', false],
    ['others', 'released', 'team', false],
  ])('%s, folder %j, for %s: %s', (bucket, prefix, namespace, expected) => {
    expect(buckets.find({ bucket, prefix }, namespace) !== undefined).toBe(expected);
  });

  test('an object is read as long as some entry has it', () => {
    const of = (bucket: string, name: string) => () => buckets.of({ bucket, name, etag: '1' });
    expect(of('models', 'common/7b/model.safetensors')).not.toThrow();
    expect(of('models', 'private/model.safetensors')).toThrow(StorageError);
    expect(of('models', 'released-later/model.safetensors')).toThrow('may not be read');
  });

  test('each entry has one line to its server', () => {
    expect(buckets.find({ bucket: 'whole', prefix: 'a' }, 'team')).toBe(
      buckets.find({ bucket: 'whole', prefix: 'b' }, 'team'),
    );
  });
});
