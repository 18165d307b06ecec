import { describe, expect, test } from '@jest/globals';
import { ConfigError, isLoopback, loadConfig, Settings } from './config.js';

const sha256 = 'a'.repeat(64);

describe('loadConfig', () => {
  test('is complete without any variable', () => {
    expect(loadConfig({})).toMatchObject({
      role: 'all',
      http: { host: '127.0.0.1', port: 8080 },
      apiKeys: [],
      database: { url: undefined, schema: 'public' },
      queue: { redisUrl: undefined, prefix: 'amalgam' },
      s3: undefined,
      shardBytes: 1e9,
      samples: true,
    });
    expect(loadConfig({}).threads).toBeGreaterThanOrEqual(1);
  });

  test('takes an empty variable for an absent one, as compose files leave them', () => {
    expect(loadConfig({ AMALGAM_PORT: '', AMALGAM_REDIS_URL: '', AMALGAM_S3_URL: '' })).toEqual(loadConfig({}));
  });

  test.each([
    ['1000', 1000],
    ['5MB', 5e6],
    ['1GB', 1e9],
    ['512MiB', 512 * 2 ** 20],
    ['1.5 GiB', 1.5 * 2 ** 30],
  ])('reads the size %s', (text, bytes) => {
    expect(loadConfig({ AMALGAM_SHARD_BYTES: text }).shardBytes).toBe(bytes);
  });

  test('reads keys and lets others reach the service with them', () => {
    const env = { AMALGAM_API_KEYS: `ci:${sha256},alice:${sha256.toUpperCase()}`, AMALGAM_HOST: '0.0.0.0' };
    expect(loadConfig(env).apiKeys).toEqual([
      { name: 'ci', sha256 },
      { name: 'alice', sha256 },
    ]);
  });

  test.each<[Record<string, string>, string]>([
    [{ AMALGAM_PORT: '65536' }, 'AMALGAM_PORT'],
    [{ AMALGAM_PORT: 'http' }, 'AMALGAM_PORT'],
    [{ AMALGAM_ROLE: 'boss' }, 'AMALGAM_ROLE'],
    [{ AMALGAM_THREADS: '0' }, 'AMALGAM_THREADS'],
    [{ AMALGAM_SHARD_BYTES: '1 furlong' }, 'AMALGAM_SHARD_BYTES'],
    [{ AMALGAM_SHARD_BYTES: '0' }, 'AMALGAM_SHARD_BYTES'],
    [{ AMALGAM_SAMPLES: 'perhaps' }, 'AMALGAM_SAMPLES'],
    [{ AMALGAM_API_KEYS: 'no-digest' }, 'AMALGAM_API_KEYS'],
    [{ AMALGAM_API_KEYS: `a:${sha256},a:${sha256}` }, 'names a key twice'],
    [{ AMALGAM_DATABASE_URL: 'mysql://x' }, 'AMALGAM_DATABASE_URL'],
    [{ AMALGAM_DATABASE_SCHEMA: 'x"; drop' }, 'AMALGAM_DATABASE_SCHEMA'],
    [{ AMALGAM_REDIS_URL: 'localhost:6379' }, 'AMALGAM_REDIS_URL'],
    [{ AMALGAM_S3_URL: 'http://x' }, 'needs AMALGAM_S3_BUCKET'],
    [{ AMALGAM_HOST: '0.0.0.0' }, 'AMALGAM_API_KEYS must name'],
    [{ AMALGAM_ROLE: 'worker' }, 'worker needs AMALGAM_DATABASE_URL'],
  ])('refuses %j in a sentence', (env, part) => {
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).toThrow(part);
  });

  const source = { bucket: 'models', url: 'https://s3.test', namespaces: ['team'] };
  const sources = (...entries: object[]) => ({ AMALGAM_S3_SOURCES: JSON.stringify(entries) });

  test('reads the buckets that models may come from', () => {
    const keys = { accessKey: 'key', secretKey: 'secret' };
    const entries = [{ ...source, prefix: 'released/', ...keys, region: 'eu-central-1' }, source];
    expect(loadConfig(sources(...entries)).s3Sources).toEqual([
      { ...source, prefix: 'released', ...keys, region: 'eu-central-1' },
      { ...source, prefix: '', region: 'us-east-1' },
    ]);
    expect(loadConfig({}).s3Sources).toEqual([]);
  });

  test.each<[object, string]>([
    [{ ...source, bucket: 'Models' }, 'entry 2, bucket: must be the name of a bucket'],
    [{ ...source, url: 'ftp://s3.test' }, 'entry 2, url: must be an http:// or https:// URL'],
    [{ ...source, prefix: '/released' }, 'entry 2, prefix: must be a prefix'],
    [{ ...source, namespaces: [] }, 'entry 2, namespaces: must name a namespace'],
    [{ ...source, namespaces: ['a/b'] }, 'entry 2, namespaces, 0: must be a namespace'],
    [{ ...source, secretKey: 'canary' }, 'entry 2: needs accessKey and secretKey, or neither'],
    [{ ...source, secret: 'canary' }, 'entry 2: Unrecognized key: "secret"'],
    [{ ...source, url: 'https://other.test' }, 'models is named at two addresses'],
  ])('refuses the bucket %j in a sentence without a secret', (entry, part) => {
    const load = () => loadConfig(sources(source, entry));
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(part);
    expect(load).not.toThrow('canary');
  });

  test.each(['models', '{"bucket": "models"}'])('refuses %j as a list of buckets', (text) => {
    expect(() => loadConfig({ AMALGAM_S3_SOURCES: text })).toThrow('must be a JSON list of buckets');
  });

  test('says everything that is wrong at once', () => {
    const env = { AMALGAM_PORT: 'x', AMALGAM_ROLE: 'boss' };
    expect(() => loadConfig(env)).toThrow(/AMALGAM_ROLE.*\n.*AMALGAM_PORT/);
  });

  test('describes every setting', () => {
    for (const [name, schema] of Object.entries(Settings.shape))
      expect([name, schema.description]).not.toContain(undefined);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['127.0.0.1.evil.example', false],
  ['10.0.0.1', false],
])('isLoopback(%j) is %j', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
