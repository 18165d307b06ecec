import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { amalgam, type CommandResult } from '../support/command.js';

jest.setTimeout(60_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const merged = `merge_method: task_arithmetic
base_model: base
models:
  - { model: sort, parameters: { weight: 0.5 } }
  - { model: reverse, parameters: { weight: 0.5 } }
`;

describe('amalgam compare', () => {
  let root: string;
  const run = (...argv: string[]): Promise<CommandResult> => amalgam(argv, { cwd: root });

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-compare-'));
    for (const name of ['base', 'reverse', 'sort']) symlinkSync(join(samples, name), join(root, name));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('says how models differ, by part, in a table and a sentence, and writes nothing', async () => {
    const { status, stdout, stderr } = await run('compare', 'sort', 'reverse', '--base', 'base');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^\| Part \| Norms \| Cosines \| Sign conflicts \|\n[^]*\| attention \| [^]*\n\n.*task vectors.*\n$/i,
    );
    expect(readdirSync(root).sort()).toEqual(['base', 'reverse', 'sort']);
  });

  it.each(['full', 'sampled'])('finds what the report of a merge has, %s', async (mode) => {
    const { stdout } = await run('compare', 'sort', 'reverse', '--base', 'base', '--report', mode, '--json');
    writeFileSync(join(root, 'recipe.yaml'), merged);
    await run('merge', 'recipe.yaml', 'out', '--overwrite', '--report', mode);
    type Numbers = Record<string, unknown> & { kept: unknown; tensors: { tensor: string; kept: unknown }[] };
    const compared = JSON.parse(stdout) as Numbers;
    const report = JSON.parse(readFileSync(join(root, 'out', 'merge_report.json'), 'utf8')) as Numbers;
    const withoutResult = (tensors: Numbers['tensors']): object[] => tensors.map(({ kept: _kept, ...rest }) => rest);
    expect(compared.tensors.length).toBeGreaterThan(30);
    expect(withoutResult(compared.tensors)).toEqual(withoutResult(report.tensors));
    rmSync(join(root, 'out'), { recursive: true });
    rmSync(join(root, 'recipe.yaml'));
  });

  it('refuses what is no model by name', async () => {
    const { status, stderr } = await run('compare', 'sort', 'nowhere');
    expect(status).toBe(1);
    expect(stderr).toContain('model_not_found');
  });
});
