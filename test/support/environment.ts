import { describe } from '@jest/globals';

/** What a test may need beside this checkout, each named by one variable. Nothing else under test/ reads the environment. */
const variables = {
  /** Path of a Python with test/oracle/requirements.txt installed. */
  python: 'AMALGAM_TEST_PYTHON',
  /** Path of SeaweedFS's `weed`, the S3 server. */
  s3: 'AMALGAM_TEST_S3',
  /** URL of a PostgreSQL server whose user may create schemas. */
  database: 'AMALGAM_TEST_DATABASE_URL',
  /** URL of a Redis server; only keys of our own prefix are touched. */
  redis: 'AMALGAM_TEST_REDIS_URL',
  /** Path of a headless Chromium. */
  chromium: 'AMALGAM_TEST_CHROMIUM',
  /** Set by `npm run test:soak`: take the time for many more cases. */
  soak: 'AMALGAM_SOAK',
  /** Draw those parts of the documents again that are made from the code, instead of comparing them. */
  updateDocuments: 'UPDATE_DOCS',
} as const;

export type Requirement = keyof typeof variables;

/** The value behind a requirement. @throws Error when it is not set */
export function environment(requirement: Requirement): string {
  const value = findEnvironment(requirement);
  if (value === undefined) throw new Error(`${variables[requirement]} is not set`);
  return value;
}

export function findEnvironment(requirement: Requirement): string | undefined {
  const value = process.env[variables[requirement]];
  return value === '' ? undefined : value;
}

/** As `describe`, skipped by name where something that the tests need is not there; the reporter adds the names up. */
export function describeWith(requirements: readonly Requirement[], name: string, body: () => void): void {
  const missing = requirements.filter((each) => findEnvironment(each) === undefined);
  if (missing.length === 0) describe(name, body);
  else describe.skip(`${name} (needs ${missing.map((each) => `${each}: ${variables[each]}`).join(', ')})`, body);
}

/** What a process of ours is started with: settings alone name what begins with AMALGAM_. */
export function environmentOf(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AMALGAM_'));
  return { ...Object.fromEntries(inherited), ...settings };
}

/** A Hub that answers nobody: what a test does not mean to ask for must not reach the real one. */
export const noHub = { AMALGAM_HUB_URL: 'http://127.0.0.1:9' };
