import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { amalgam, type CommandResult, startCommand } from '../support/command.js';

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
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], num_hidden_layers: 4, dtype: 'bfloat16' });
    const { stdout } = await amalgam(['inspect', folder, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ parameterCount: 449_376 });
  });
});

describe('npm run demo', () => {
  it('stays until Ctrl-C, and leaves nothing running', async () => {
    const root = mkdtempSync(join(tmpdir(), 'amalgam-demo-test-'));
    const { child, result } = startCommand(['--data', root], { program: 'demo' });
    let said = '';
    await new Promise<void>((done) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ctrl-C ends')) done();
      });
    });
    const url = /listens on (\S+)/.exec(said)?.[1] ?? '';
    const docs = await fetch(`${url}/docs`);
    expect(docs.status).toBe(200);
    child.kill('SIGINT');
    expect(await result).toMatchObject({ status: 0, stderr: '' });
    await expect(fetch(url)).rejects.toThrow();
    rmSync(root, { recursive: true });
  }, 60_000);
});
