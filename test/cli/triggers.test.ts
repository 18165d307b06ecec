import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { newApiKey } from '../../src/auth/api-keys.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import { amalgam, type CommandResult } from '../support/command.js';
import { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

jest.setTimeout(120_000);

const example = join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml');
const { key, line } = newApiKey('tester');

let root: string;
let service: ServiceProcess;
let http: HttpClient;

const run = (...argv: string[]): Promise<CommandResult> =>
  amalgam(['trigger', ...argv], { cwd: root, settings: { AMALGAM_URL: service.url, AMALGAM_KEY: key } });
const models = ['--watch', 'team/checkpoints', '--output', 'team/merged'];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-trigger-'));
  service = await startService({ AMALGAM_DATA_DIR: join(root, 'data'), AMALGAM_API_KEYS: line });
  http = new HttpClient(service.url, { authorization: `Bearer ${key}` });
  await pushSamples(http, ['base', 'sort']);
  for (const step of [1, 2]) await http.push('team/checkpoints', trainedSample('reverse', step));
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  rmSync(root, { recursive: true, force: true });
});

describe('amalgam trigger', () => {
  it('is made of a recipe file, and merges what comes and what was there', async () => {
    const made = await run(
      'create',
      'sec',
      example,
      ...models,
      '--alias',
      'best',
      '--keep-last',
      '5',
      '--label',
      'a=b',
    );
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(made.stdout).toContain('sec merges every new version of team/checkpoints into team/merged\n');
    const dry = await run('back-fill', 'sec', '--dry-run', '--from', '2');
    expect(dry.stdout).toBe('  team/checkpoints@2  queue\n1 checkpoint would be merged\n');
    expect((await run('back-fill', 'sec')).stdout).toContain('2 checkpoints will be merged\n');
    await http.push('team/checkpoints', trainedSample('reverse', 3));
    await until('they are merged', async () => (await run('show', 'sec')).stdout.includes('; 3 succeeded\n'), 60);
    expect((await run('show', 'sec')).stdout).toBe(
      [
        'sec: team/checkpoints -> team/merged, the last 5 kept; 3 succeeded',
        ...[3, 2, 1].map((version) => `  team/checkpoints@${version}  succeeded -> team/merged@${version}`),
        '',
      ].join('\n'),
    );
    const json = JSON.parse((await run('show', 'sec', '--json')).stdout) as { items: unknown[] };
    expect(json).toMatchObject({ name: 'sec', options: { alias: 'best', labels: { a: 'b' } } });
    expect(json.items).toHaveLength(3);
  });

  it('is disabled, enabled, listed and deleted', async () => {
    expect((await run('disable', 'sec')).stdout).toContain(', disabled; ');
    expect(await run('back-fill', 'sec')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error trigger_disabled: /),
    });
    expect((await run('list')).stdout).toMatch(/^sec: .*, disabled; /);
    expect((await run('enable', 'sec', '--json')).stdout).toContain('"enabled": true');
    expect(await run('delete', 'sec')).toMatchObject({
      status: 0,
      stdout: 'sec is deleted; what it has merged stays\n',
    });
    expect(await run('show', 'sec')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error trigger_not_found: /),
    });
  });

  it('shows where in the recipe a mistake is, and what is wrong with an option', async () => {
    const text =
      'merge_method: linear\nmodels:\n  - model: $checkpoint\n  - model: samples/sorted\nparameters: {weight: 1}\n';
    writeFileSync(join(root, 'wrong.yaml'), text);
    expect(await run('create', 'wrong', 'wrong.yaml', ...models)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^wrong\.yaml:4:12: error input_not_found: There is no model samples\/sorted\. .*\(\/models\/1\/model\)\n$/,
      ) as unknown,
    });
    const loop = await run('create', 'loop', example, '--watch', 'team/x', '--output', 'team/x');
    expect(loop).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error trigger_loop: .* \(\?output\)\n$/) });
    expect(await run('create', 'none', example, '--watch', 'team/x')).toMatchObject({ status: 2 });
  });
});
