import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { damCoefficients, writeCoefficients } from '../support/coefficients.js';
import { amalgam, type CommandResult, withoutProgress } from '../support/command.js';
import { readModel } from '../support/safetensors.js';

jest.setTimeout(60_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const models = ['sort', 'reverse'];

describe('amalgam merge, by coefficients', () => {
  let root: string;
  const merge = async (coefficients: string, ...argv: string[]): Promise<CommandResult> => {
    writeFileSync(
      join(root, 'dam.yaml'),
      `merge_method: dam\nmodels: [{ model: sort }, { model: reverse }]\ncoefficients: ${coefficients}\n`,
    );
    return amalgam([...argv, 'dam.yaml', ...(argv.includes('merge') ? ['out', '--overwrite', '--quiet'] : [])], {
      cwd: root,
    });
  };
  const digestOf = ({ stdout }: CommandResult): unknown => (JSON.parse(stdout) as { digest: unknown }).digest;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-dam-'));
    for (const name of ['base', ...models]) symlinkSync(join(samples, name), join(root, name));
    const tensors = readModel(join(samples, 'base'));
    writeCoefficients(join(root, 'trained'), damCoefficients({ tensors }, models), { models });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('takes a directory or a file, and writes the same', async () => {
    expect(withoutProgress(await merge('trained', 'merge'))).toMatchObject({ status: 0, stderr: '' });
    const weights = readFileSync(join(root, 'out', 'model.safetensors'));
    const again = await merge('trained/model.safetensors', 'merge');
    expect(withoutProgress(again)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(root, 'out', 'model.safetensors')).equals(weights)).toBe(true);
    expect(weights.equals(readFileSync(join(root, 'sort', 'model.safetensors')))).toBe(false);
  });

  it('has another digest for other coefficients', async () => {
    const before = digestOf(await merge('trained', 'plan', '--json'));
    const tensors = readModel(join(samples, 'base'));
    writeCoefficients(join(root, 'other'), damCoefficients({ tensors }, models, 'F64'), { models });
    expect(digestOf(await merge('trained', 'plan', '--json'))).toBe(before);
    expect(digestOf(await merge('other', 'plan', '--json'))).not.toBe(before);
  });

  it('shows the line of the recipe when they do not fit', async () => {
    const { status, stderr } = await merge('sort', 'plan');
    expect(status).toBe(1);
    expect(stderr).toContain('coefficients_invalid');
    expect(stderr).toContain('dam.yaml:3:');
    expect(await merge('sort/config.json', 'plan')).toMatchObject({ status: 1 });
  });
});
