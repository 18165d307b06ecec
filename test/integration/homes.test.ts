import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, environment } from '../support/environment.js';
import { describeHome } from '../support/home.conformance.js';
import { ownSchema } from '../support/postgres.js';

describeHome('the embedded home', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'home-'));
  return { settings: { AMALGAM_DATA_DIR: directory }, end: () => rm(directory, { recursive: true }) };
});

describeWith(['database'], 'with a database', () => {
  describeHome('PostgreSQL alone', () => {
    const { url, schema, drop } = ownSchema();
    return Promise.resolve({ settings: { AMALGAM_DATABASE_URL: url, AMALGAM_DATABASE_SCHEMA: schema }, end: drop });
  });
});

describeWith(['database', 'redis'], 'with a database and Redis', () => {
  describeHome('PostgreSQL and Redis', () => {
    const { url, schema, drop } = ownSchema();
    const settings = {
      AMALGAM_DATABASE_URL: url,
      AMALGAM_DATABASE_SCHEMA: schema,
      AMALGAM_REDIS_URL: environment('redis'),
      // Two runs at once must not hear each other.
      AMALGAM_QUEUE_PREFIX: schema,
    };
    return Promise.resolve({ settings, end: drop });
  });
});
