import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { startCommand } from '../support/command.js';
import { type FakeHub, startFakeHub, writeToken } from '../support/fake-hub.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(180_000);

describeWithShared('fakehub', 'npm run demo -- --hub URL', (folder) => {
  let hub: FakeHub;
  let root: string;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    root = mkdtempSync(join(tmpdir(), 'amalgam-demo-hub-'));
  }, 60_000);
  afterAll(async () => {
    await hub.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const demo = (argv: string[], token: string | undefined) =>
    startCommand(['--once', '--data', root, ...argv], {
      program: 'demo',
      settings: token === undefined ? { HF_TOKEN: '' } : { HF_TOKEN: token },
    }).result;

  test('publishes what it merged, privately, says where, and imports it again', async () => {
    const { status, stdout, stderr } = await demo(['--hub', hub.url], writeToken);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/uploading → committing → settling → succeeded: http:\S+\/amalgam-demo, private\n/);
    expect(stdout).toMatch(/succeeded: demo\/from-the-hub@1, the same weights to the last bit\n/);
    expect(stdout).not.toContain('skipped');
    const [repository, repo] = Object.entries((await hub.state()).repos)[0] ?? [];
    expect(repository).toMatch(/^[^/]+\/amalgam-demo$/);
    expect(repo?.visibility).toBe('private');
    expect((await hub.read(String(repository), 'main', 'README.md')).toString()).toContain(
      'base_model_relation: merge',
    );
    expect(stdout).not.toContain(writeToken);
    expect(existsSync(join(root, 'models', 'slerp', 'model.safetensors'))).toBe(true);
  });

  test('needs a token that the hub accepts, before it begins', async () => {
    expect(await demo(['--hub', hub.url], undefined)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('error: --hub needs a token that may write, in HF_TOKEN'),
    });
    const refused = await demo(['--hub', hub.url], 'hf_wrong');
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('error hub_token_refused: ') });
    expect(refused.stderr).not.toContain('hf_wrong');
  });

  test('skips all that in one line without a hub', async () => {
    const { status, stdout } = await demo([], writeToken);
    expect(status).toBe(0);
    expect(stdout.match(/are skipped/g)).toHaveLength(1);
  });
});
