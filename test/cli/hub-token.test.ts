import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newApiKey } from '../../src/auth/api-keys.js';
import { amalgam, type CommandResult } from '../support/command.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

jest.setTimeout(120_000);

const { key, line } = newApiKey('tester');
const secret = 'hf_the-secret-of-team';

let root: string;
let service: ServiceProcess;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-hub-token-'));
  service = await startService({
    ...{ AMALGAM_DATA_DIR: join(root, 'data'), AMALGAM_API_KEYS: line, AMALGAM_LOG_LEVEL: 'trace' },
  });
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  rmSync(root, { recursive: true, force: true });
});

const run = (argv: string[], { token = '', input }: { token?: string; input?: string } = {}): Promise<CommandResult> =>
  amalgam(['hub-token', ...argv], {
    settings: { AMALGAM_URL: service.url, AMALGAM_KEY: key, HF_TOKEN: token },
    ...(input !== undefined && { input }),
  });

test('a token comes from the environment or standard input, is listed and removed, and never shown', async () => {
  const made = await run(['set', 'team'], { token: secret });
  expect(made).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^team has a token/) });
  expect((await run(['set', 'other'], { input: `${secret}\n` })).status).toBe(0);
  const listed = await run(['list']);
  expect(listed.stdout).toMatch(/^other: set by tester, 20\S+Z\nteam: set by tester, 20\S+Z\n$/);
  const json = await run(['list', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject([{ namespace: 'other' }, { namespace: 'team', setBy: 'tester' }]);
  const removed = await run(['remove', 'team']);
  expect(removed).toMatchObject({ status: 0, stdout: 'team has no token of the Hub any more\n' });
  expect(await run(['remove', 'team'])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error hub_token_not_found: /),
  });
  for (const { stdout, stderr } of [made, listed, json, removed]) expect(stdout + stderr).not.toContain(secret);
  expect(service.log()).toContain('/v1/hub-tokens');
  expect(service.log()).not.toContain(secret);
});

test('what is no token, and what is no namespace, is said without a request', async () => {
  expect(await run(['set', 'team'])).toMatchObject({ status: 2, stderr: expect.stringContaining('HF_TOKEN') });
  expect(await run(['set', 'team'], { token: 'hf_a b' })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error hub_token_invalid: (?!.*hf_a)/),
  });
  expect(await run(['set', 'team'], { input: 'x'.repeat(10_000) })).toMatchObject({ status: 1 });
  expect((await run(['set', 'team/model'], { token: secret })).status).toBe(2);
  expect((await run(['set', 'team', secret])).status).toBe(2);
});
