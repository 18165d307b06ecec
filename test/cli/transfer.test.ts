import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../support/child-server.js';
import { amalgam, type CommandResult, startCommand, withoutProgress } from '../support/command.js';
import { digestFolder, readFolder, writeFolder } from '../support/folder.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { syntheticModel } from '../support/synthetic-model.js';
import { type ProxyPlan, TcpProxy } from '../support/tcp-proxy.js';

// A service that opens its database for the first time needs some seconds, on a busy machine many.
jest.setTimeout(120_000);

const sample = fileURLToPath(new URL('../../samples/base', import.meta.url));
/** Several parts of 8 MiB, so that a broken upload has something to go on from. */
const largeBytes = 40_000_000;

let root: string;
let service: ServiceProcess;
let proxy: TcpProxy | undefined;

const at = (name: string): string => join(root, name);
const run = (argv: string[], url = service.url): Promise<CommandResult> =>
  amalgam(argv, { cwd: root, settings: { AMALGAM_URL: url } });
const hidden = (): string[] => readdirSync(root).filter((name) => name.startsWith('.'));

async function through(plan: ProxyPlan): Promise<TcpProxy> {
  proxy = await TcpProxy.start(service.url, plan);
  return proxy;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-transfer-'));
  service = await startService({ AMALGAM_DATA_DIR: at('data'), AMALGAM_LOG_LEVEL: 'info' });
  writeFolder(at('large'), syntheticModel({ layers: 1, layerBytes: largeBytes, seed: 5 }));
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
});
afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  rmSync(root, { recursive: true, force: true });
});

describe('amalgam push and pull', () => {
  it('carry a model there and back, byte for byte', async () => {
    const pushed = await run(['push', sample, 'team/base', '--alias', 'production']);
    expect(withoutProgress(pushed)).toMatchObject({ status: 0, stderr: '' });
    expect(pushed.stdout).toBe('team/base@1 is there: 7 files, 909.8 kB\n');
    const pulled = await run(['pull', 'team/base@production', 'back']);
    expect(withoutProgress(pulled)).toMatchObject({ status: 0, stderr: '' });
    expect(pulled.stdout).toBe('team/base@1 is in back: 7 files, 909.8 kB, every SHA-256 verified\n');
    expect(digestFolder(at('back'))).toEqual(digestFolder(sample));
    expect(hidden()).toEqual([]);
  });

  it('send nothing that the newest version has', async () => {
    const again = await run(['push', sample, 'team/base', '--alias', 'reviewed', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ version: 1, aliases: ['latest', 'production', 'reviewed'] });
    expect((await run(['pull', 'team/base@reviewed', 'reviewed'])).status).toBe(0);
  });

  it('say which files a service does not store', async () => {
    const files = readFolder(sample);
    writeFolder(at('mixed'), { ...files, 'modeling.py': Buffer.from(''), 'pytorch_model.bin': Buffer.from('') });
    const { status, stderr } = await run(['push', 'mixed', 'team/mixed', '--quiet']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^not sent: "modeling\.py" .*\nnot sent: "pytorch_model\.bin" .*\n$/);
  });

  it('leave a directory alone that is not empty', async () => {
    writeFolder(at('mine'), { 'config.json': Buffer.from('{}') });
    const refused = await run(['pull', 'team/base', 'mine']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('output_exists') });
    expect((await run(['pull', 'team/base', 'mine', '--overwrite'])).status).toBe(0);
    expect(digestFolder(at('mine'))).toEqual(digestFolder(sample));
  });

  it('refuse a directory that is no model before anything is sent', async () => {
    writeFolder(at('empty'), { 'README.md': Buffer.from('hello') });
    expect(await run(['push', 'empty', 'team/empty'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error weights_missing: /),
    });
    expect(await run(['pull', 'team/empty', 'nothing'])).toMatchObject({
      status: 1,
      stderr: 'error model_not_found: There is no model team/empty.\n',
    });
  });
});

describe('a bit that flips on the way', () => {
  it('to the service is refused', async () => {
    const { url } = await through({ direction: 'up', afterBytes: 500_000, action: 'flip' });
    const { status, stdout, stderr } = await run(['push', sample, 'team/flipped'], url);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /error digest_mismatch: The received bytes have SHA-256 [0-9a-f]{64}; .* \(X-Content-SHA256\)\n$/,
    );
    expect(proxy?.hasHappened).toBe(true);
    const none = await run(['pull', 'team/flipped', 'flipped']);
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining('version_not_found') });
    const upload = /--upload (\S+)/.exec(stderr)?.[1] ?? '';
    expect(await run(['push', sample, 'team/flipped', '--upload', upload])).toMatchObject({ status: 0 });
  });

  it('from the service leaves no directory', async () => {
    const { url } = await through({ direction: 'down', afterBytes: 500_000, action: 'flip' });
    const { status, stderr } = await run(['pull', 'team/base', 'flipped'], url);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error digest_mismatch: model\.safetensors: /);
    expect(existsSync(at('flipped'))).toBe(false);
    expect(hidden()).toEqual([]);
  });
});

describe('a line that breaks', () => {
  const slack = 1_000_000;
  const part = 2 ** 24;

  it('under a push costs a part at most', async () => {
    const line = await through({ direction: 'up', afterBytes: 30_000_000, action: 'cut' });
    const { status, stderr } = await run(['push', 'large', 'team/large'], line.url);
    expect({ status, happened: line.hasHappened }).toEqual({ status: 0, happened: true });
    expect(stderr).toContain('; trying again\n');
    expect(line.passed.up).toBeLessThan(largeBytes + part + slack);
  });

  it('under a pull costs nothing', async () => {
    const line = await through({ direction: 'down', afterBytes: 30_000_000, action: 'cut' });
    const { status, stderr } = await run(['pull', 'team/large', 'large-back'], line.url);
    expect({ status, happened: line.hasHappened }).toEqual({ status: 0, happened: true });
    expect(stderr).toContain('; trying again\n');
    expect(line.passed.down).toBeLessThan(largeBytes + slack);
    expect(digestFolder(at('large-back'))).toEqual(digestFolder(at('large')));
  });

  it('can be taken up by another process', async () => {
    const held = await through({ direction: 'down', afterBytes: 30_000_000, action: 'hold' });
    const first = startCommand(['pull', 'team/large', 'killed'], { cwd: root, settings: { AMALGAM_URL: held.url } });
    await until('the line is held', () => held.hasHappened);
    first.child.kill('SIGKILL');
    await first.result;
    await held.close();
    expect(hidden()).toHaveLength(1);
    const line = await through({ direction: 'down', afterBytes: Infinity, action: 'cut' });
    expect((await run(['pull', 'team/large', 'killed'], line.url)).status).toBe(0);
    expect(line.passed.down).toBeLessThan(largeBytes - 20_000_000);
    expect(digestFolder(at('killed'))).toEqual(digestFolder(at('large')));
    expect(hidden()).toEqual([]);
  });

  it('lets a cancelled push go on with its upload', async () => {
    const held = await through({ direction: 'up', afterBytes: 30_000_000, action: 'hold' });
    const argv = ['push', 'large', 'team/later'];
    const first = startCommand(argv, { cwd: root, settings: { AMALGAM_URL: held.url } });
    await until('the line is held', () => held.hasHappened);
    first.child.kill('SIGINT');
    const { status, stderr } = await first.result;
    expect(status).toBe(130);
    const upload = /--upload (\S+)\n/.exec(stderr)?.[1] ?? '';
    await held.close();
    const line = await through({ direction: 'up', afterBytes: Infinity, action: 'cut' });
    expect(await run([...argv, '--upload', upload], line.url)).toMatchObject({ status: 0 });
    expect(line.passed.up).toBeLessThan(largeBytes - 10_000_000);
  });

  it('is told when there is no service at all', async () => {
    const { url } = await through({ direction: 'up', afterBytes: 0, action: 'cut' });
    await proxy?.close();
    proxy = undefined;
    expect(await run(['pull', 'team/base', 'nowhere'], url)).toEqual({
      status: 1,
      stdout: '',
      stderr: `error service_unreachable: ${url}: nothing listens there (ECONNREFUSED)\n`,
    });
  });
});
