import { startRedis, type OwnRedis } from './redis.js';
import { ownSchema, type OwnSchema } from './postgres.js';
import { startSeaweedFs, type SeaweedFs } from './seaweedfs.js';

/** A production home of this test's own: a schema, a Redis and an S3 server. Needs 'database', 's3'. */
export interface ProductionHome {
  schema: OwnSchema;
  redis: OwnRedis;
  s3: SeaweedFs;
  /** What a process of it is started with, its data directory apart. */
  settings: Record<string, string>;
  stop(): Promise<void>;
}

export async function startProductionHome(): Promise<ProductionHome> {
  const schema = ownSchema();
  const [s3, redis] = await Promise.all([startSeaweedFs(), startRedis()]);
  return {
    ...{ schema, redis, s3 },
    settings: {
      AMALGAM_DATABASE_URL: schema.url,
      AMALGAM_DATABASE_SCHEMA: schema.schema,
      AMALGAM_REDIS_URL: redis.url,
      AMALGAM_S3_URL: s3.config.url,
      AMALGAM_S3_BUCKET: s3.config.bucket,
      AMALGAM_S3_ACCESS_KEY: s3.config.accessKey,
      AMALGAM_S3_SECRET_KEY: s3.config.secretKey,
      AMALGAM_SECRET_KEY: 'ab'.repeat(32),
    },
    stop: async () => {
      await schema.drop();
      await Promise.all([s3.stop(), redis.stop()]);
    },
  };
}
