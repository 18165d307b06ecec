import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newApiKey } from '../../src/auth/api-keys.js';
import { describeWith, environment } from '../support/environment.js';
import { HttpClient } from '../support/http-client.js';
import { type OwnSchema, ownSchema } from '../support/postgres.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

const request = {
  recipe: {
    merge_method: 'ties',
    base_model: 'samples/base',
    models: [
      { model: 'samples/reverse', parameters: { density: 0.5, weight: 0.5 } },
      { model: 'samples/sort', parameters: { density: 0.5, weight: 0.5 } },
    ],
  },
  output: 'team/both',
  seed: 1,
};
const weights = '/v1/models/team/both/versions/latest/files/model.safetensors';

describeWith(['database', 'redis', 's3'], 'the production home: PostgreSQL, Redis and S3', () => {
  let s3: SeaweedFs;
  let schema: OwnSchema;
  let service: ServiceProcess;
  let directory: string;

  const start = async (own: Record<string, string>): Promise<void> => {
    service = await startService({
      AMALGAM_DATA_DIR: join(directory, schema.schema),
      AMALGAM_DATABASE_URL: schema.url,
      AMALGAM_DATABASE_SCHEMA: schema.schema,
      AMALGAM_REDIS_URL: environment('redis'),
      AMALGAM_QUEUE_PREFIX: schema.schema,
      AMALGAM_S3_URL: s3.config.url,
      AMALGAM_S3_BUCKET: s3.config.bucket,
      AMALGAM_S3_ACCESS_KEY: s3.config.accessKey,
      AMALGAM_S3_SECRET_KEY: s3.config.secretKey,
      AMALGAM_S3_PREFIX: `${schema.schema}/`,
      AMALGAM_SAMPLES: 'true',
      ...own,
    });
  };

  /** Merges the samples and gives the digest of the weights as they are downloaded. */
  const mergeSamples = async (client: HttpClient): Promise<string> => {
    const answer = await client.post('/v1/merges', request);
    expect(answer).toMatchObject({ status: 202, body: { output: 'team/both' } });
    await client.reach(String(answer.body['id']), ['succeeded']);
    return createHash('sha256')
      .update(await client.bytes(weights))
      .digest('hex');
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'production-home-'));
    s3 = await startSeaweedFs();
  }, 60_000);
  beforeEach(() => {
    schema = ownSchema();
  });
  afterEach(async () => {
    service.kill('SIGTERM');
    expect(await service.exited).not.toBe(1);
    await schema.drop();
  }, 30_000);
  afterAll(async () => {
    await s3.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  describe('merges the samples into the same bytes', () => {
    const digests: string[] = [];

    test('without a key', async () => {
      await start({});
      const client = new HttpClient(service.url);
      expect((await client.get('/readyz')).status).toBe(200);
      digests.push(await mergeSamples(client));
    }, 120_000);

    test('with a key, which every call then needs', async () => {
      const { key, line } = newApiKey('ci');
      await start({ AMALGAM_API_KEYS: line });
      expect((await new HttpClient(service.url).get('/livez')).status).toBe(200);
      for (const headers of [{}, { authorization: `Bearer ${key}x` }]) {
        const stranger = new HttpClient(service.url, headers);
        expect(await stranger.get('/v1/models')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
        expect((await stranger.post('/v1/merges', request)).status).toBe(401);
      }
      digests.push(await mergeSamples(new HttpClient(service.url, { authorization: `Bearer ${key}` })));
      expect(new Set(digests).size).toBe(1);
      expect(service.log()).not.toContain(key);
    }, 120_000);
  });
});
