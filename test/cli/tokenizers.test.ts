import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { amalgam, type CommandResult } from '../support/command.js';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));

jest.setTimeout(60_000);

describe('a recipe that asks for a tokenizer', () => {
  let root: string;
  const plan = (source: string, models: readonly string[], ...flags: string[]): Promise<CommandResult> => {
    const list = models.map((model) => `  - model: ${model}\n`).join('');
    const recipe = `merge_method: linear\nmodels:\n${list}parameters: {weight: 1}\ntokenizer_source: ${source}\n`;
    writeFileSync(join(root, 'recipe.yaml'), recipe);
    return amalgam(['plan', 'recipe.yaml', '--json', ...flags], { cwd: root });
  };
  const rewrite = (model: string, change: (text: string) => string): void => {
    const path = join(root, model, 'tokenizer.json');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-tokenizers-'));
    for (const [model, sample] of [
      ['base', 'base'],
      ['indented', 'sort'],
      ['renamed', 'sort'],
    ] as const) {
      cpSync(join(samples, sample), join(root, model), { recursive: true });
    }
    rewrite('indented', (text) => JSON.stringify(JSON.parse(text), null, 7));
    rewrite('renamed', (text) => {
      const tokenizer = JSON.parse(text) as { model: { vocab: Record<string, number> } };
      const [, ...others] = Object.entries(tokenizer.model.vocab);
      const vocab = Object.fromEntries([['renamed', 0], ...others]);
      return JSON.stringify({ ...tokenizer, model: { ...tokenizer.model, vocab } });
    });
    // Other shapes than the others have.
    cpSync(join(root, 'renamed'), join(root, 'turned'), { recursive: true });
    turnFirstMatrix(join(root, 'turned', 'model.safetensors'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(['base', 'union', 'indented'])('gets it from %s where the vocabulary is the same', async (source) => {
    const { status, stdout } = await plan(source, ['base', 'indented']);
    expect(status).toBe(0);
    const { copiedFiles } = JSON.parse(stdout) as { copiedFiles: { path: string; from: string }[] };
    const from = source === 'indented' ? 'indented' : 'base';
    expect(copiedFiles).toContainEqual({ path: 'tokenizer.json', from });
  });

  it.each<[string, string, string[]]>([
    ['a token is another', 'renamed', []],
    ['no tokenizer is taken over', 'renamed', ['--no-copy-tokenizer']],
    ['shapes differ too', 'turned', []],
  ])('is refused for its sake when %s', async (_what, model, flags) => {
    const { status, stderr } = await plan('union', ['base', model], ...flags);
    expect(status).toBe(1);
    expect(stderr).toContain('tokenizers_differ');
  });
});

/** Says [columns, rows] of the first matrix that the header has: the file stays whole. */
function turnFirstMatrix(path: string): void {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = bytes.subarray(8, 8 + length).toString('utf8');
  const turned = header.replace(/"shape":\[(\d+),(\d+)\]/, '"shape":[$2,$1]');
  if (turned === header || turned.length !== header.length) throw new Error('the header has no such matrix');
  bytes.write(turned, 8);
  writeFileSync(path, bytes);
}
