import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { amalgam } from '../support/command.js';

// Long enough for a machine that is busy with other things.
jest.setTimeout(60_000);

describe('amalgam licence', () => {
  it('answers programs', async () => {
    const { status, stdout } = await amalgam(['licence', 'llama3.1+apache-2.0', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'allow-with-obligations',
      resultLicence: 'llama3.1',
      obligations: expect.arrayContaining(['built-with-llama']),
      why: expect.stringContaining('s.1.b.i'),
    });
  });

  it('answers people, with the paths that clash', async () => {
    const { status, stdout } = await amalgam(['licence', 'llama3>apache-2.0', 'apache-2.0']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^deny\n[^]*path: llama3 > apache-2\.0\n {2}path: apache-2\.0\n[^]*not legal advice\.\n$/);
    expect((await amalgam(['licence', '--commercial', 'cc-by-nc-4.0'])).stdout).toMatch(/^deny\n/);
  });

  it('refuses what is none with a code', async () => {
    const { status, stdout, stderr } = await amalgam(['licence', 'mit>', '--json']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error licence_invalid: /);
  });
});

describe('the card of a merge of directories', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'amalgam-private-'));
    for (const name of ['reverse', 'sort']) {
      cpSync(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url)), join(folder, 'my models', name), {
        recursive: true,
      });
    }
    writeFileSync(
      join(folder, 'my models', 'sort', 'README.md'),
      '---\nlicense: mit\nbase_model: google/gemma-2b\n---\n',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('says nothing of where they lie, and everything of their licences', async () => {
    const model = (name: string): string => join(folder, 'my models', name);
    const recipe = `merge_method: linear\nmodels:\n- {model: "${model('reverse')}", parameters: {weight: 1}}\n- {model: "${model('sort')}", parameters: {weight: 1}}\n`;
    writeFileSync(join(folder, 'recipe.yaml'), recipe);
    const { status, stderr } = await amalgam(['merge', join(folder, 'recipe.yaml'), join(folder, 'out'), '--quiet']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const card = readFileSync(join(folder, 'out', 'README.md'), 'utf8');
    expect(card).not.toContain(folder);
    expect(card).not.toContain('my models');
    expect(card).toContain('- {model: "reverse", parameters: {weight: 1}}');
    expect(card).toMatch(/^license: gemma$/m);
    expect(card).toContain('`google/gemma-2b: gemma > sort: mit`');
  });
});
