import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amalgam } from '../support/command.js';
import { sharedPath } from '../support/shared.js';

const good = 'merge_method: linear\nmodels:\n  - model: a\n    parameters: { weight: 1 }\n';
const files = {
  'good.yaml': good,
  'warned.yaml': `${good}foreign: 1\n`,
  'near.yaml': good.replace('weight: 1', 'weight: 1, Weight: 1'),
  'twice.yaml': `${good}merge_method: ties\n`,
  'binary.yaml': Buffer.from([0xff, 0xfe, 0x00]),
};

describe('amalgam validate', () => {
  async function validate(...argv: string[]): Promise<{ status: number | null; lines: string[]; stderr: string }> {
    const root = mkdtempSync(join(tmpdir(), 'amalgam-validate-'));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
      const { status, stdout, stderr } = await amalgam(['validate', ...argv], { cwd: root });
      return { status, lines: stdout.split('\n').slice(0, -1), stderr };
    } finally {
      rmSync(root, { recursive: true });
    }
  }

  it('gives one line a file, or one for each issue', async () => {
    const { status, lines, stderr } = await validate('good.yaml', 'warned.yaml', 'near.yaml', 'twice.yaml');
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(lines).toEqual([
      'good.yaml ok',
      expect.stringMatching(/^warned\.yaml warning unknown_key 5:1 \S.*/),
      expect.stringMatching(/^near\.yaml refused near_miss 4:30 \S.*/),
      expect.stringMatching(/^twice\.yaml refused duplicate_key 5:1 \S.*/),
    ]);
  });

  it('accepts warnings, and near misses when asked to', async () => {
    expect((await validate('good.yaml', 'warned.yaml')).status).toBe(0);
    const { status, lines } = await validate('--lenient', 'near.yaml');
    expect({ status, lines }).toEqual({
      status: 0,
      lines: [expect.stringMatching(/^near\.yaml warning near_miss 4:30 /)],
    });
  });

  it('refuses what cannot be read', async () => {
    const { status, lines } = await validate('missing.yaml', '.', 'binary.yaml', 'good.yaml');
    expect(status).toBe(1);
    expect(lines).toEqual([
      'missing.yaml refused recipe_unreadable 1:1 missing.yaml: there is no such file',
      '. refused recipe_unreadable 1:1 .: it is a folder',
      'binary.yaml refused recipe_unreadable 1:1 binary.yaml: it is not UTF-8 text',
      'good.yaml ok',
    ]);
  });

  it('answers programs as JSON', async () => {
    const { lines } = await validate('--json', 'good.yaml', 'near.yaml');
    expect(JSON.parse(lines.join('\n'))).toEqual([
      { path: 'good.yaml', verdict: 'ok', issues: [] },
      {
        path: 'near.yaml',
        verdict: 'refused',
        issues: [
          expect.objectContaining({ code: 'near_miss', line: 4, column: 30, pointer: '/models/0/parameters/Weight' }),
        ],
      },
    ]);
  });

  const wild = sharedPath('wild/recipes');
  (wild === undefined ? it.skip : it)('reads all recipes that people published in a moment', async () => {
    const paths = readdirSync(wild ?? '').map((name) => join(wild ?? '', name));
    const begun = performance.now();
    const { status, lines } = await validate(...paths);
    const seconds = (performance.now() - begun) / 1000;
    expect(status).toBe(1);
    for (const line of lines) expect(line).toMatch(/^\S+ (ok|(warning|refused) [a-z_]+ \d+:\d+ \S.*)$/);
    expect(new Set(lines.map((line) => line.split(' ')[0]))).toEqual(new Set(paths));
    // Two seconds are promised, to whoever has the machine for himself.
    expect(seconds).toBeLessThan(15);
  });
});
