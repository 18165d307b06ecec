import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { environment } from './environment.js';

export interface OwnSchema {
  url: string;
  schema: string;
  /** Removes it; a test that failed leaves it out, so that its rows can be looked at. */
  drop(): Promise<void>;
}

/** A schema of this test file's own in the server that the environment names; the service creates it when it migrates. */
export function ownSchema(): OwnSchema {
  const url = environment('database');
  const schema = `amalgam_test_${randomBytes(6).toString('hex')}`;
  const drop = async () => {
    // Whoever still holds a lock is a leak: better a failure than to wait for it.
    const client = new pg.Client({ connectionString: url, options: '-c lock_timeout=10000' });
    await client.connect();
    try {
      await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    } finally {
      await client.end();
    }
  };
  return { url, schema, drop };
}
