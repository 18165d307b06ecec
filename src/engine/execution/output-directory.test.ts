import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { OutputDirectory, type OutputRequest } from './output-directory.js';

const digest = 'ab'.repeat(32);
const shards = [
  { file: 'model-00001-of-00002.safetensors', bytes: 3 },
  { file: 'model-00002-of-00002.safetensors', bytes: 4 },
];
const [first, second] = shards.map(({ file }) => file) as [string, string];

describe('output directory', () => {
  let root: string;
  let out: string;
  const open = (changes: Partial<OutputRequest> = {}): Promise<OutputDirectory> =>
    OutputDirectory.open({ directory: out, digest, shards, ...changes });
  const hidden = (): string[] => readdirSync(root).filter((name) => name.startsWith('.'));

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-output-'));
    out = join(root, 'out');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  async function complete(output: OutputDirectory, content = 'abc'): Promise<void> {
    writeFileSync(join(output.directory, first), content);
    output.finished(first);
    writeFileSync(join(output.directory, second), 'defg');
    output.finished(second);
    await output.write('config.json', '{}');
    await output.publish();
  }

  /** What a process leaves that is killed with the first shard finished. */
  async function leaveKilled(changes: { boot?: string } = {}): Promise<void> {
    const output = await open();
    writeFileSync(join(output.directory, first), 'abc');
    writeFileSync(join(output.directory, `${second}.partial`), 'd');
    const lock = join(output.staging, 'lock');
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as object;
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(lock, JSON.stringify({ ...holder, pid: dead, started: '1', ...changes }));
  }

  it('appears complete, with nothing beside it', async () => {
    const output = await open();
    expect(existsSync(out)).toBe(false);
    await complete(output);
    expect(readdirSync(root)).toEqual(['out']);
    expect(readdirSync(out).sort()).toEqual(['config.json', first, second]);
  });

  it('says what it wrote and copied', async () => {
    const output = await open();
    writeFileSync(join(root, 'source'), 'abc');
    const abc = { bytes: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' };
    expect(await output.write('README.md', 'abc')).toEqual(abc);
    expect(await output.copy(join(root, 'source'), 'tokenizer.json')).toEqual(abc);
    await output.discard();
    expect(readdirSync(root)).toEqual(['source']);
  });

  it('takes an empty folder, and goes through a link', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync('real', out);
    await complete(await open());
    expect(readdirSync(join(root, 'real'))).toContain('config.json');
    expect(hidden()).toEqual([]);
  });

  describe('when it was interrupted', () => {
    it('keeps finished shards after a kill, and nothing else', async () => {
      await leaveKilled();
      const output = await open();
      expect(readdirSync(output.directory)).toEqual([first]);
      await complete(output);
      expect(hidden()).toEqual([]);
    });

    it('keeps after a power cut only what the disk has', async () => {
      await leaveKilled({ boot: 'an earlier one' });
      const again = await open();
      expect(readdirSync(again.directory)).toEqual([]);
      writeFileSync(join(again.directory, first), 'abc');
      again.finished(first);
      expect(await again.suspend()).toEqual({ finished: 1, parts: 0 });
      await leaveKilled({ boot: 'an earlier one' });
      expect(readdirSync((await open()).directory)).toEqual([first]);
    });

    it('keeps finished shards when suspended, and no folder without any', async () => {
      const output = await open();
      writeFileSync(join(output.directory, first), 'abc');
      writeFileSync(join(output.directory, second), 'de');
      output.finished(first);
      expect(await output.suspend()).toEqual({ finished: 1, parts: 0 });
      const again = await open();
      expect(readdirSync(again.directory)).toEqual([first]);
      rmSync(join(again.directory, first));
      expect(await again.suspend()).toEqual({ finished: 0, parts: 0 });
      expect(hidden()).toEqual([]);
    });

    it('keeps parts of files, which never show in the result', async () => {
      const output = await open();
      writeFileSync(output.part('x'), 'ab');
      expect(await output.suspend()).toEqual({ finished: 0, parts: 1 });
      const again = await open();
      expect(readFileSync(again.part('x'), 'utf8')).toBe('ab');
      await complete(again);
      expect(readdirSync(out).sort()).toEqual(['config.json', first, second]);
      expect(hidden()).toEqual([]);
    });

    it('does not take over from another plan, and clears that away in the end', async () => {
      const other = await open({ digest: 'cd'.repeat(32) });
      writeFileSync(join(other.directory, first), 'xyz');
      await other.suspend();
      const output = await open();
      expect(readdirSync(output.directory)).toEqual([]);
      expect(hidden()).toHaveLength(2);
      await complete(output);
      expect(hidden()).toEqual([]);
    });

    it('leaves another plan alone that is being carried out', async () => {
      const other = await open({ digest: 'cd'.repeat(32) });
      await complete(await open());
      expect(hidden()).toHaveLength(1);
      await expect(complete(other)).rejects.toMatchObject({ code: 'output_exists' });
      await other.discard();
    });

    it('puts a model back that a kill took away between the two renames', async () => {
      await complete(await open());
      const output = await open({ overwrite: true });
      renameSync(out, join(output.staging, 'replaced'));
      rmSync(join(output.staging, 'lock'));
      await expect(open()).rejects.toMatchObject({ code: 'output_exists' });
      expect(readFileSync(join(out, first), 'utf8')).toBe('abc');
    });
  });

  describe('when two want it', () => {
    it('refuses the second, naming the first', async () => {
      const output = await open();
      const message = expect.stringContaining(`process ${process.pid} on ${hostname()}`);
      await expect(open()).rejects.toMatchObject({ code: 'output_busy', message });
      await output.discard();
      await (await open()).discard();
    });

    it('believes the heartbeat of a process on another machine', async () => {
      const output = await open();
      const lock = join(output.staging, 'lock');
      const holder = JSON.parse(readFileSync(lock, 'utf8')) as object;
      writeFileSync(lock, JSON.stringify({ ...holder, host: 'elsewhere' }));
      await expect(open()).rejects.toMatchObject({ code: 'output_busy' });
      await output.discard();
    });
  });

  describe('where there is something', () => {
    it('refuses a folder that is not empty, unless it may be overwritten', async () => {
      await complete(await open());
      await expect(open()).rejects.toMatchObject({ code: 'output_exists' });
      writeFileSync(join(out, 'old'), '');
      const output = await open({ overwrite: true });
      expect(existsSync(join(out, 'old'))).toBe(true);
      await complete(output, 'xyz');
      expect(existsSync(join(out, 'old'))).toBe(false);
      expect(readFileSync(join(out, first), 'utf8')).toBe('xyz');
      expect(hidden()).toEqual([]);
    });

    it('notices what came there meanwhile', async () => {
      const output = await open();
      mkdirSync(out);
      writeFileSync(join(out, 'config.json'), 'theirs');
      await expect(complete(output)).rejects.toMatchObject({ code: 'output_exists' });
      expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe('theirs');
      expect(await output.suspend()).toEqual({ finished: 2, parts: 0 });
    });

    it('overwrites models only', async () => {
      mkdirSync(out);
      writeFileSync(join(out, 'letters.txt'), 'mine');
      await expect(open({ overwrite: true })).rejects.toMatchObject({ code: 'output_invalid' });
    });

    it.each([
      ['a file', () => writeFileSync(out, '')],
      ['a folder that is missing above', () => (out = join(root, 'missing', 'out'))],
      ['a file above', () => (writeFileSync(join(root, 'file'), ''), (out = join(root, 'file', 'out')))],
      ['an input', () => (mkdirSync(join(root, 'in')), (out = join(root, 'in')))],
      ['a folder in an input', () => (mkdirSync(join(root, 'in')), (out = join(root, 'in', 'out')))],
      ['a folder around an input', () => (mkdirSync(join(root, 'in')), (out = root))],
    ])('refuses %s', async (_name, arrange) => {
      arrange();
      await expect(open({ inputs: [join(root, 'in')] })).rejects.toMatchObject({ code: 'output_invalid' });
      expect(hidden()).toEqual([]);
    });
  });
});
