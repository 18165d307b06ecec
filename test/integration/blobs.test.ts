import { describeBlobs } from '../support/blob-races.js';
import { describeWith } from '../support/environment.js';
import { ownSchema } from '../support/postgres.js';

describeWith(['database'], 'with a database', () => {
  describeBlobs('blobs on PostgreSQL', () => {
    const { url, schema, drop } = ownSchema();
    return { settings: { AMALGAM_DATABASE_URL: url, AMALGAM_DATABASE_SCHEMA: schema }, end: drop };
  });
});
