import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { amalgam, type CommandResult } from '../support/command.js';

jest.setTimeout(120_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const linear = 'merge_method: linear\nmodels: [{ model: sort }, { model: reverse }]\nparameters: { weight: 0.5 }\n';
const slerp = 'merge_method: slerp\nbase_model: average\nmodels: [{ model: light }]\nparameters: { t: 0.3 }\n';
const several = `name: average\n${linear}---\n${slerp}`;

describe('amalgam merge, of several recipes in one file', () => {
  let root: string;
  const at = (...parts: string[]): string => join(root, ...parts);
  const run = (text: string, ...argv: string[]): Promise<CommandResult> => {
    writeFileSync(at('recipe.yaml'), text);
    return amalgam(argv, { cwd: root });
  };
  const weights = (name: string): Buffer => readFileSync(at(name, 'model.safetensors'));
  const hidden = (): string[] => readdirSync(root).filter((name) => name.startsWith('.'));
  const kept = (): string[] => readdirSync(at('.out.amalgam-stages'));

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-stages-'));
    for (const name of ['base', 'light', 'reverse', 'sort']) symlinkSync(join(samples, name), at(name));
  });
  afterEach(() => {
    for (const name of ['out', 'average', '.out.amalgam-stages']) rmSync(at(name), { recursive: true, force: true });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('gives what the recipes give one after the other, and leaves nothing else', async () => {
    expect(await run(several, 'merge', 'recipe.yaml', 'out', '--quiet')).toMatchObject({ status: 0, stderr: '' });
    expect(hidden()).toEqual([]);
    expect(readFileSync(at('out', 'amalgam-recipe.yaml'), 'utf8')).toBe(several);
    expect(readdirSync(at('out'))).toContain('tokenizer.json');
    await run(linear, 'merge', 'recipe.yaml', 'average');
    await run(slerp, 'merge', 'recipe.yaml', 'one-by-one');
    expect(weights('out').equals(weights('one-by-one'))).toBe(true);
    expect(readFileSync(at('out', 'config.json'))).toEqual(readFileSync(at('one-by-one', 'config.json')));
    rmSync(at('one-by-one'), { recursive: true });
  });

  it('keeps what the result is made from when asked, takes it up again, and never for another recipe', async () => {
    await run(several, 'merge', 'recipe.yaml', 'out', '--keep-stages');
    const [first = ''] = kept();
    const { ino } = statSync(at('.out.amalgam-stages', first, 'model.safetensors'));
    const before = weights('out');
    await run(several, 'merge', 'recipe.yaml', 'out', '--keep-stages', '--overwrite');
    expect(statSync(at('.out.amalgam-stages', first, 'model.safetensors')).ino).toBe(ino);
    expect(weights('out').equals(before)).toBe(true);
    await run(
      several.replace('weight: 0.5', 'weight: [0.2, 0.9]'),
      ...['merge', 'recipe.yaml', 'out'],
      '--keep-stages',
      '--overwrite',
    );
    expect(kept()).toHaveLength(2);
    await run(several, 'merge', 'recipe.yaml', 'out', '--overwrite');
    expect(hidden()).toEqual([]);
  });

  it('plans all of it from headers, and refuses a fault of the last before the first is merged', async () => {
    const { stdout, status } = await run(several, 'plan', 'recipe.yaml', '--json');
    expect(status).toBe(0);
    const plan = JSON.parse(stdout) as { digest: string; stages: { name: string; digest: string }[]; inputs: object[] };
    expect(plan.stages).toMatchObject([{ name: 'average' }]);
    expect(plan.inputs).toContainEqual({ reference: 'average', digest: plan.stages[0]?.digest });
    expect((await run(several, 'plan', 'recipe.yaml')).stdout).toMatch(
      /^average\nmethod +linear\n[^]*\nmethod +slerp\n/,
    );
    const wrong = several.replace('{ model: light }', '{ model: darkness }');
    const refused = await run(wrong, 'merge', 'recipe.yaml', 'out');
    expect(refused.stderr).toMatch(/^recipe\.yaml:8:19: error model_not_found: darkness .*\(\/1\/models\/0\/model\)/);
    expect(hidden()).toEqual([]);
  });

  it('refuses circles and names with a slip, with their place', async () => {
    const circle = several.replace('{ model: sort }', '{ model: average }');
    expect((await run(circle, 'merge', 'recipe.yaml', 'out')).stderr).toMatch(
      /^recipe\.yaml:3:19: error stage_cycle: /,
    );
    const slip = several.replace('base_model: average', 'base_model: avrage');
    expect((await run(slip, 'validate', 'recipe.yaml')).stdout).toContain('refused unknown_stage 7:13 ');
    expect((await run(several, 'validate', 'recipe.yaml')).stdout).toBe('recipe.yaml ok\n');
  });
});
