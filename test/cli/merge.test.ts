import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, localDirectory } from '../../src/engine/index.js';
import { amalgam, type CommandResult, startCommand, withoutProgress } from '../support/command.js';
import { until } from '../support/child-server.js';
import { syntheticModel } from '../support/synthetic-model.js';
import { writeFolder } from '../support/folder.js';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const slerp = `merge_method: slerp
base_model: reverse
models:
  - model: sort
parameters:
  t: 0.5
`;

// Several processes a test, on machines that may be busy.
jest.setTimeout(60_000);

describe('amalgam merge', () => {
  let root: string;
  const at = (...parts: string[]): string => join(root, ...parts);
  const merge = (...argv: string[]): Promise<CommandResult> =>
    amalgam(['merge', 'recipe.yaml', ...argv], { cwd: root });
  const hidden = (): string[] => readdirSync(root).filter((name) => name.startsWith('.'));

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-merge-'));
    for (const name of ['base', 'reverse', 'sort']) symlinkSync(join(samples, name), at(name));
  });
  beforeEach(() => {
    rmSync(at('out'), { recursive: true, force: true });
    writeFileSync(at('recipe.yaml'), slerp);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('writes a model that is all there, and says so in one line', async () => {
    const { status, stdout, stderr } = withoutProgress(await merge('out'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^out: slerp of 2 models, 39 tensors merged, 0 copied, 0 dropped, 902\.8 kB in 1 file, \d+\.\d s\n$/,
    );
    const files = ['README.md', 'amalgam-recipe.yaml', 'config.json', 'generation_config.json', 'merge_report.json'];
    expect(readdirSync(at('out'))).toEqual([
      ...files,
      'merge_report.svg',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readFileSync(at('out', 'amalgam-recipe.yaml'), 'utf8')).toBe(slerp);
    expect(readFileSync(at('out', 'tokenizer.json'))).toEqual(readFileSync(at('reverse', 'tokenizer.json')));
    const { parameterCount, config } = await inspect(localDirectory(at('out')));
    expect(parameterCount).toBe(449_376);
    expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], num_hidden_layers: 4 });
    expect(hidden()).toEqual([]);
  });

  it('reports what it did to the weights, as much as is asked for', async () => {
    const { status } = await merge('out', '--report', 'full');
    expect(status).toBe(0);
    const report = JSON.parse(readFileSync(at('out', 'merge_report.json'), 'utf8')) as Record<string, unknown>;
    expect(report).toMatchObject({ report: 'full', estimate: false, reference: 'base', models: ['sort'] });
    const card = readFileSync(at('out', 'README.md'), 'utf8');
    expect(card).toMatch(/\| attention \|.*\n\| mlp \|/);
    expect(card).toContain('](merge_report.svg)');
    expect(card).toContain('--report full');
    await merge('out', '--overwrite', '--report', 'none');
    expect(readdirSync(at('out')).filter((name) => name.startsWith('merge_report'))).toEqual([]);
    expect(readFileSync(at('out', 'README.md'), 'utf8')).not.toContain('merge_report');
  });

  it('writes the same bytes every time, and their digests into the card', async () => {
    await merge('out');
    const card = readFileSync(at('out', 'README.md'), 'utf8');
    for (const file of readdirSync(at('out'))) {
      if (file !== 'README.md') expect(card).toContain(sha256(at('out', file)));
    }
    await merge('out', '--overwrite', '-j', '1', '--io-chunk-bytes', '50001');
    expect(readFileSync(at('out', 'README.md'), 'utf8')).toBe(card);
  });

  it('takes what people know from mergekit-yaml', async () => {
    const flags = ['--cuda', '--lazy-unpickle', '--cuda', '--device', 'cuda:0', '--low-cpu-memory', '--allow-crimes'];
    const { status, stdout, stderr } = await merge(
      ...['out', '--out-shard-size', '300k', '--random-seed', '7', '--no-copy-tokenizer', '--no-write-model-card'],
      ...['-v', '--quiet', '-j', '1', ...flags],
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/:.*/, '')),
    ).toEqual(flags.map(() => 'warning').slice(2));
    expect(readdirSync(at('out'))).toEqual([
      'config.json',
      'merge_report.json',
      'model-00001-of-00004.safetensors',
      'model-00002-of-00004.safetensors',
      'model-00003-of-00004.safetensors',
      'model-00004-of-00004.safetensors',
      'model.safetensors.index.json',
    ]);
  });

  it.each([['--unsafe-truncate-embeddings'], ['--no-safe-serialization']])('refuses %s by name', async (flag) => {
    const { status, stdout, stderr } = await merge('out', flag);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(`error: ${flag} is refused`);
    expect(existsSync(at('out'))).toBe(false);
  });

  it('answers programs as JSON', async () => {
    const { stdout } = await merge('out', '--json', '--random-seed', '42');
    expect(JSON.parse(stdout)).toMatchObject({
      output: 'out',
      seed: 42,
      tensors: { merged: 39, copied: 0, dropped: 0 },
      shards: [{ file: 'model.safetensors', bytes: 902_784, sha256: sha256(at('out', 'model.safetensors')) }],
    });
    await merge('out', '--overwrite', '--no-digests');
    expect(readFileSync(at('out', 'README.md'), 'utf8')).not.toContain(sha256(at('out', 'model.safetensors')));
  });

  it('leaves what is there alone, unless it is told to replace it', async () => {
    await merge('out');
    writeFileSync(at('out', 'notes.txt'), 'mine');
    const refused = await merge('out');
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('output_exists') });
    writeFileSync(at('recipe.yaml'), slerp.replace('sort', 'missing'));
    expect((await merge('out', '--overwrite')).status).toBe(1);
    expect(existsSync(at('out', 'notes.txt'))).toBe(true);
    writeFileSync(at('recipe.yaml'), slerp);
    expect((await merge('out', '--overwrite')).status).toBe(0);
    expect(existsSync(at('out', 'notes.txt'))).toBe(false);
    expect(hidden()).toEqual([]);
  });

  it.each([
    ['a typing error', slerp.replace('parameters', 'paramters'), /^recipe\.yaml:5:1: error near_miss: /m],
    [
      'a model that is not there',
      slerp.replace('sort', 'sorted'),
      /^recipe\.yaml:4:12: error model_not_found: sorted /,
    ],
    ['what is not supported yet', slerp.replace('sort', 'sort+lora'), /^recipe\.yaml:4:12: error not_supported_yet: /],
    ['a folder without weights', slerp.replace('sort', '.'), /^recipe\.yaml:4:12: error weights_missing: \.: /],
    ['no YAML at all', 'a: [', /^recipe\.yaml:\d+:\d+: error yaml_syntax: /],
  ])('refuses %s with its place', async (_what, text, expected) => {
    writeFileSync(at('recipe.yaml'), text);
    const { status, stdout, stderr } = await merge('out');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(hidden()).toEqual([]);
  });

  it.each([
    [['merge', 'recipe.yaml'], 'missing required argument'],
    [['merge', 'recipe.yaml', 'out', '--out-shard-size', '5GB'], '5GB'],
    [['merge', 'recipe.yaml', 'out', '-j', '0'], 'whole number'],
    [['merge', 'recipe.yaml', 'out', '--unknown'], 'unknown option'],
    [['frobnicate'], 'unknown command'],
  ])('exits with 2 after %j', async (argv, message) => {
    expect(await amalgam(argv, { cwd: root })).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
  });
});

describe('an interrupted amalgam merge', () => {
  let root: string;
  // Small reads, so that there is time to be interrupted.
  const argv = ['merge', 'recipe.yaml', 'out', '--out-shard-size', '24M', '-j', '1', '--io-chunk-bytes', '1', '--json'];
  const hidden = (): string[] => readdirSync(root).filter((name) => name.startsWith('.'));
  const finished = (): string[] => {
    const [staging] = hidden();
    if (staging === undefined || !existsSync(join(root, staging, 'model'))) return [];
    return readdirSync(join(root, staging, 'model')).filter((name) => name.endsWith('.safetensors'));
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-resume-'));
    for (const [seed, name] of ['base', 'other'].entries()) {
      writeFolder(join(root, name), syntheticModel({ layers: 6, layerBytes: 24_000_000, seed: seed + 1 }));
    }
    writeFileSync(join(root, 'recipe.yaml'), slerp.replace('reverse', 'base').replace('sort', 'other'));
  });
  afterEach(() => rmSync(join(root, 'out'), { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function shardsOf(stdout: string): unknown {
    return (JSON.parse(stdout) as { shards: unknown }).shards;
  }

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('goes on after %s where it was', async (signal) => {
    const whole = await amalgam(argv, { cwd: root });
    rmSync(join(root, 'out'), { recursive: true });
    const first = startCommand(argv, { cwd: root });
    await until('a shard is finished', () => finished().length > 0);
    first.child.kill(signal);
    const { status, stderr } = await first.result;
    expect(status).toBe({ SIGKILL: null, SIGINT: 130, SIGTERM: 143 }[signal]);
    if (signal !== 'SIGKILL') expect(stderr).toMatch(/cancelled; \d finished shards? kept: the same command goes on/);
    expect(existsSync(join(root, 'out'))).toBe(false);
    const [shard = ''] = finished();
    const path = join(root, hidden()[0] ?? '', 'model', shard);
    const inode = statSync(path).ino;
    const second = await amalgam(argv, { cwd: root });
    expect(second).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`${shard} was finished by an earlier attempt`),
    });
    expect(statSync(join(root, 'out', shard)).ino).toBe(inode);
    expect(shardsOf(second.stdout)).toEqual(shardsOf(whole.stdout));
    expect(hidden()).toEqual([]);
  });

  it('starts afresh when an input has changed since', async () => {
    const first = startCommand(argv, { cwd: root });
    await until('a shard is finished', () => finished().length > 0);
    first.child.kill('SIGKILL');
    await first.result;
    utimesSync(join(root, 'other', 'config.json'), new Date(0), new Date(0));
    const second = await amalgam(argv, { cwd: root });
    expect(second).toMatchObject({ status: 0, stderr: expect.not.stringContaining('earlier attempt') });
    expect(hidden()).toEqual([]);
  });

  it('is not joined by a second one', async () => {
    const first = startCommand(argv, { cwd: root });
    await until('a shard is finished', () => finished().length > 0);
    first.child.kill('SIGSTOP');
    const second = await amalgam(argv, { cwd: root });
    first.child.kill('SIGCONT');
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`process ${String(first.child.pid)} on `),
    });
    expect((await first.result).status).toBe(0);
  });
});

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
