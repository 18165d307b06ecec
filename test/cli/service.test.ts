import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newApiKey } from '../../src/auth/api-keys.js';
import { amalgam, type CommandResult, startCommand } from '../support/command.js';
import { until } from '../support/child-server.js';
import { writeFolder } from '../support/folder.js';
import { placeFreshDatabase } from '../support/fresh-database.js';
import { HttpClient } from '../support/http-client.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { syntheticModel } from '../support/synthetic-model.js';
import { TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(120_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const { key, line } = newApiKey('tester');
const slerp = `merge_method: slerp
base_model: samples/reverse
models:
  - model: samples/sort
parameters:
  t: 0.5
`;

let root: string;
let service: ServiceProcess;
let http: HttpClient;

const run = (argv: string[], url = service.url): Promise<CommandResult> =>
  amalgam(argv, { cwd: root, settings: { AMALGAM_URL: url, AMALGAM_KEY: key } });
const recipe = (name: string, text: string): void => writeFileSync(join(root, name), text);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-submit-'));
  service = await startService({ AMALGAM_DATA_DIR: join(root, 'data'), AMALGAM_API_KEYS: line });
  http = new HttpClient(service.url, { authorization: `Bearer ${key}` });
  for (const name of ['reverse', 'sort']) await run(['push', join(samples, name), `samples/${name}`]);
  recipe('slerp.yaml', slerp);
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  rmSync(root, { recursive: true, force: true });
});

describe('amalgam submit', () => {
  it('waits for the version', async () => {
    const { status, stdout, stderr } = await run(['submit', 'slerp.yaml', 'team/waited', '--wait', '--alias', 'best']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^team\/waited@1 is there after \d+\.\d s \(merge [0-9a-f-]{36}\)\n$/);
    expect(stderr).toMatch(/^slerp of samples\/reverse@1, samples\/sort@1: 39 tensors merged, 0 copied, 0 dropped, /);
    expect((await run(['pull', 'team/waited@best', 'waited', '--json'])).status).toBe(0);
  });

  it('answers at once, and programs as JSON', async () => {
    const argv = [
      'submit',
      'slerp.yaml',
      'team/seeded',
      '--seed',
      '5',
      '--out-shard-size',
      '300k',
      '--label',
      'for=test',
    ];
    const merge = JSON.parse((await run([...argv, '--json'])).stdout) as { id: string };
    expect(merge).toMatchObject({
      output: 'team/seeded',
      labels: { for: 'test' },
      plan: { seed: 5, shardBytes: 300_000 },
    });
    const watched = await run(['watch', merge.id, '--json']);
    expect(watched.status).toBe(0);
    expect(JSON.parse(watched.stdout)).toMatchObject({ id: merge.id, state: 'succeeded', version: 'team/seeded@1' });
    expect(await run(argv)).toMatchObject({ status: 0, stdout: expect.stringContaining('team/seeded@1 is there') });
  });

  it('shows where in the recipe the service sees a mistake', async () => {
    recipe('missing.yaml', slerp.replace('sort', 'sorted'));
    expect(await run(['submit', 'missing.yaml', 'team/x'])).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^missing\.yaml:4:12: error input_not_found: There is no model samples\/sorted\. .*\(\/models\/0\/model\)\n$/,
      ) as unknown,
    });
    recipe('near.yaml', slerp.replace('parameters', 'paramters'));
    const near = await run(['submit', 'near.yaml', 'team/x']);
    expect(near).toMatchObject({ status: 1, stderr: expect.stringMatching(/^near\.yaml:5:1: error near_miss: /m) });
    const alias = await run(['submit', 'slerp.yaml', 'team/x', '--alias', '7']);
    expect(alias).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error [a-z_]+: .*\(\?alias\)\n$/) });
  });

  it('needs the key that the service asks for', async () => {
    const { status, stderr } = await run(['submit', 'slerp.yaml', 'team/x', '--key', 'amalgam_wrong']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error unauthenticated: /);
    expect(await run(['submit', 'slerp.yaml', 'team'])).toMatchObject({ status: 2 });
    expect(await run(['watch', 'x', '--url', 'nonsense'])).toMatchObject({ status: 2 });
  });
});

describe('amalgam watch', () => {
  async function submitLarge(): Promise<string> {
    for (const [seed, name] of ['left', 'right'].entries()) {
      writeFolder(join(root, name), syntheticModel({ layers: 4, layerBytes: 40_000_000, seed: seed + 1 }));
      await run(['push', name, `large/${name}`]);
    }
    recipe('large.yaml', slerp.replace('samples/reverse', 'large/left').replace('samples/sort', 'large/right'));
    const { stdout } = await run(['submit', 'large.yaml', 'large/merged', '--out-shard-size', '40M', '--json']);
    return (JSON.parse(stdout) as { id: string }).id;
  }

  it('ends with a status that says how the merge did', async () => {
    const id = await submitLarge();
    const watching = startCommand(['watch', id], {
      cwd: root,
      settings: { AMALGAM_URL: service.url, AMALGAM_KEY: key },
    });
    await http.post(`/v1/merges/${id}/cancel`);
    const { status, stdout } = await watching.result;
    expect(status).toBe(3);
    expect(stdout).toMatch(new RegExp(`^merge ${id} is cancelled after `));
    await http.post(`/v1/merges/${id}/retry`);
    expect(await run(['watch', id])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('large/merged@1 is there'),
    });
  });

  it('stops watching on Ctrl-C, and the merge goes on', async () => {
    recipe('other.yaml', slerp.replace('0.5', '0.25'));
    const held = await TcpProxy.start(service.url, { direction: 'down', afterBytes: 0, action: 'hold' });
    const { id } = JSON.parse((await run(['submit', 'other.yaml', 'team/other', '--json'])).stdout) as { id: string };
    const watching = startCommand(['watch', id], { cwd: root, settings: { AMALGAM_URL: held.url, AMALGAM_KEY: key } });
    await until('the line is held', () => held.hasHappened);
    watching.child.kill('SIGINT');
    const { status, stderr } = await watching.result;
    await held.close();
    expect({ status, stderr }).toEqual({
      status: 130,
      stderr: `no longer watching; the merge goes on: amalgam watch ${id}\n`,
    });
    expect((await run(['watch', id])).status).toBe(0);
  });

  it('connects again when the line breaks', async () => {
    const { id } = JSON.parse((await run(['submit', 'slerp.yaml', 'team/again', '--json'])).stdout) as { id: string };
    const line = await TcpProxy.start(service.url, { direction: 'down', afterBytes: 100, action: 'cut' });
    expect(await run(['watch', id], line.url)).toMatchObject({ status: 0 });
    expect(line.hasHappened).toBe(true);
    await line.close();
  });

  it('says that there is no such merge', async () => {
    const { status, stderr } = await run(['watch', '00000000-0000-4000-8000-000000000000']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^error merge_not_found: /) });
  });
});

describe('amalgam serve', () => {
  it('names the process that has the data directory', async () => {
    const { status, stderr } = await amalgam(['serve', '--data', join(root, 'data'), '--port', '0']);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error data_directory_in_use: .* process ${String(service.pid)}`));
  });

  it('refuses to be reached by others without keys', async () => {
    const { status, stderr } = await amalgam(['serve', '--host', '0.0.0.0', '--data', join(root, 'other')]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^AMALGAM_HOST: 0\.0\.0\.0 can be reached/),
    });
  });

  it('says where it listens, that its port is taken, and ends when told to', async () => {
    for (const name of ['served', 'second']) await placeFreshDatabase(join(root, name));
    const served = startCommand(['serve', '--data', join(root, 'served'), '--port', '0', '--no-samples']);
    await until('it listens', () => /try it at http:\S+\/docs\n/.test(served.stderr()), 60);
    const url = /(http:\S+)\/docs/.exec(served.stderr())?.[1] ?? '';
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const port = new URL(url).port;
    const second = await amalgam(['serve', '--data', join(root, 'second'), '--port', port]);
    expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining(`port_in_use: port ${port} is in use`) });
    served.child.kill('SIGTERM');
    // Ended by that signal (143 to a shell), with nothing to complain about and its directory free again.
    expect(await served.result).toMatchObject({ status: null, stderr: expect.stringMatching(/^Amalgam listens.*\n$/) });
    expect(existsSync(join(root, 'served', 'lock'))).toBe(false);
  });
});
