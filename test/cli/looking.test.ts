import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { amalgam, type CommandResult } from '../support/command.js';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const ties = `merge_method: ties
base_model: base
models:
  - model: reverse
    parameters: { weight: 0.5, density: 0.5 }
  - model: sort
    parameters: { weight: 0.5, density: 0.5 }
foreign: key
`;
const prefix = `merge_method: passthrough
slices:
  - sources:
      - model: base
        layer_range: [0, 2]
`;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-plan-'));
  for (const name of ['base', 'reverse', 'sort']) symlinkSync(join(samples, name), join(root, name));
  writeFileSync(join(root, 'ties.yaml'), ties);
  writeFileSync(join(root, 'prefix.yaml'), prefix);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...argv: string[]): Promise<CommandResult> => amalgam(argv, { cwd: root });

describe('amalgam plan', () => {
  it('says what a merge would do and cost', async () => {
    const { status, stdout, stderr } = await run('plan', 'ties.yaml', '--out-shard-size', '500k');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^ties\.yaml:8:1: warning unknown_key: .*\(\/foreign\)\n$/);
    expect(stdout).toMatch(/^method +ties\n/);
    for (const line of [
      /^models +base, reverse, sort$/m,
      /^parameters +449,376$/m,
      /^dtype +BF16$/m,
      /^tensors +39 merged, 0 copied, 0 dropped$/m,
      /^output +90\d\.\d kB in 2 files$/m,
      /^reads +2\.70 MB, all passes together$/m,
      /^memory +\d+\.\d MB at most, estimated$/m,
      /^seed +\d+$/m,
      /^digest +[0-9a-f]{64}$/m,
      /^ {2}model-00001-of-00002\.safetensors +\d+\.\d kB +\d+ tensors$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
  });

  it('names what is dropped, and why', async () => {
    const { stdout } = await run('plan', 'prefix.yaml');
    expect(stdout).toMatch(/^tensors +0 merged, 21 copied, 18 dropped$/m);
    expect(stdout).toMatch(
      /^dropped\n( {2}base: model\.layers\.[23]\..*: no slice takes layer [23] of this model\n){18}$/m,
    );
  });

  it('answers programs as JSON, with the seed that it was given', async () => {
    const answer = JSON.parse((await run('plan', 'prefix.yaml', '--json', '--random-seed', '5')).stdout) as object;
    expect(answer).toMatchObject({
      method: 'passthrough',
      seed: 5,
      tensors: { merged: 0, copied: 21, dropped: 18 },
      shards: [{ file: 'model.safetensors', tensors: 21 }],
      config: { num_hidden_layers: 2 },
    });
  });
});

describe('amalgam inspect', () => {
  it('says what a model is', async () => {
    const { status, stdout } = await run('inspect', 'base');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^architecture +LlamaForCausalLM \(llama\)$/m);
    expect(stdout).toMatch(/^layers +4, hidden size 96$/m);
    expect(stdout).toMatch(/^weights +898\.8 kB in 39 tensors and 1 file$/m);
    expect(stdout).not.toContain('lm_head.weight');
    expect((await run('inspect', 'base', '--tensors')).stdout).toMatch(/^ {2}lm_head\.weight +BF16 +\[32, 96\] /m);
  });

  it('answers programs as JSON', async () => {
    const { stdout } = await run('inspect', 'base', '--json');
    const answer = JSON.parse(stdout) as { tensors: unknown[] };
    expect(answer).toMatchObject({ directory: 'base', parameterCount: 449_376, dtypes: { BF16: 39 } });
    expect(answer.tensors).toHaveLength(39);
  });

  it('refuses what is no model', async () => {
    expect(await run('inspect', '.')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error weights_missing: /),
    });
    expect(await run('inspect', 'x')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error model_not_found: /),
    });
  });
});

describe('amalgam keys new', () => {
  it('shows a key, and the entry that allows it without containing it', async () => {
    const { status, stdout } = await run('keys', 'new', 'ci');
    expect(status).toBe(0);
    const key = /^ {2}(amalgam_\S{43})$/m.exec(stdout)?.[1] ?? '';
    expect(stdout).toContain(`AMALGAM_API_KEYS=ci:${createHash('sha256').update(key).digest('hex')}\n`);
    expect((await run('keys', 'new', 'ci', '--json')).stdout).not.toContain(key);
  });

  it('refuses a name that the setting cannot hold', async () => {
    expect(await run('keys', 'new', 'a,b')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('key_name_invalid'),
    });
  });
});
