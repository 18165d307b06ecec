import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/child-server.js';
import { amalgam, type CommandResult, startCommand } from '../support/command.js';
import { placeFreshDatabase } from '../support/fresh-database.js';

const baseConfig = resolve(import.meta.dirname, '../../samples/base/config.json');
const RESULTS = ['linear', 'ties', 'slerp'];

describe('npm run demo -- --once', () => {
  const root = mkdtempSync(join(tmpdir(), 'amalgam-demo-test-'));
  let usual: Server;
  let result: CommandResult;

  beforeAll(async () => {
    // Somebody else already listens where the service usually does.
    usual = createServer().on('error', () => undefined);
    await new Promise<void>((done) => usual.once('error', () => done()).listen(8080, '127.0.0.1', done));
    result = await startCommand(['--once', '--data', root], { program: 'demo' }).result;
  }, 60_000);
  afterAll(() => {
    usual.close();
    rmSync(root, { recursive: true });
  });

  it('ends by itself, with three merged versions', () => {
    expect(result).toMatchObject({ status: 0, stderr: '' });
    for (const name of RESULTS) expect(result.stdout).toContain(`succeeded: demo/${name}@1`);
  });

  it('takes another port when its own is taken', () => {
    expect(result.stdout).toMatch(/listens on http:\/\/127\.0\.0\.1:(?!8080)\d+/);
  });

  it('prints the lineage, and where result and card lie', () => {
    expect(result.stdout).toContain('├─ demo/linear@1 (linear), the base');
    expect(result.stdout).toContain(join(root, 'models', 'slerp'));
    expect(result.stdout).toContain('/v1/models/demo/slerp/versions/1/card');
  });

  it.each(RESULTS)('leaves a whole model of %s behind', async (name) => {
    const folder = join(root, 'models', name);
    for (const file of ['config.json', 'model.safetensors', 'tokenizer.json', 'README.md', 'amalgam-recipe.yaml']) {
      expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
    }
    // The experts are trained from the base and differ in weights alone: so does what is merged from them.
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(readFileSync(baseConfig, 'utf8'));
    const { stdout } = await amalgam(['inspect', folder, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ parameterCount: 449_376 });
  });
});

describe('npm run demo', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-demo-test-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('stays until Ctrl-C, and leaves nothing running', async () => {
    await placeFreshDatabase(join(root, 'data'));
    const { child, result } = startCommand(['--data', root], { program: 'demo' });
    const [, url = ''] = /listens on (\S+)/.exec(await textUntil(child, 'Ctrl-C ends')) ?? [];
    expect((await fetch(`${url}/docs`)).status).toBe(200);
    child.kill('SIGINT');
    expect(await result).toMatchObject({ status: 0, stderr: '' });
    await expect(fetch(url)).rejects.toThrow();
  }, 60_000);

  it.each([
    ['Ctrl-C', 130, (child: ChildProcess) => child.kill('SIGINT')],
    ['a second Ctrl-C', 130, (child: ChildProcess) => ['SIGINT', 'SIGINT'].map((name) => child.kill(name as 'SIGINT'))],
    ['`| head`', 143, (child: ChildProcess) => child.stdout?.destroy()],
  ])(
    'takes the service along when %s ends it early',
    async (_name, status, end) => {
      await placeFreshDatabase(join(root, 'data'));
      const { child, result } = startCommand(['--data', root], { program: 'demo' });
      const [, url = ''] = /listens on (\S+)/.exec(await textUntil(child, 'sample models')) ?? [];
      end(child);
      expect(await result).toMatchObject({ status, stderr: '' });
      await until(
        'the service is gone',
        () =>
          fetch(url).then(
            () => false,
            () => true,
          ),
        20,
      );
    },
    60_000,
  );

  it('leaves no folder behind when it is ended before there is a model', async () => {
    const { child, result } = startCommand([], { program: 'demo', settings: { TMPDIR: root } });
    await textUntil(child, 'Starting');
    child.kill('SIGINT');
    expect(await result).toMatchObject({ status: 130, stderr: '' });
    expect(readdirSync(root)).toEqual([]);
  }, 60_000);

  it('explains how it is called', async () => {
    const { status, stderr } = await startCommand(['--twice'], { program: 'demo' }).result;
    expect({ status, stderr }).toEqual({ status: 2, stderr: "error: unknown option '--twice'\n" });
  });
});

/** What a program has written by the time that it writes `end`. */
async function textUntil({ stdout }: ChildProcess, end: string): Promise<string> {
  return new Promise((done) => {
    let said = '';
    stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(end)) done(said);
    });
  });
}
