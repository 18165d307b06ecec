import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWith, type Requirement } from './environment.js';
import { compareWithMergeKit, generatedCase, methodOf } from './mergekit.js';
import { knownDifferences } from './mergekit-differences.js';
import { type WrittenModelSet, writeModelSets } from './model-sets.js';
import { Oracle } from './oracle.js';

/** Merges `count` generated recipes, from the seed `first` on, with both programs: one Python process for all. */
export function describeMergeKit(requirements: readonly Requirement[], first: number, count: number): void {
  describeWith(requirements, 'MergeKit 0.1.5, merging the same generated recipes', () => {
    let root = '';
    let sets: WrittenModelSet[] = [];
    let oracle: Oracle;

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'amalgam-mergekit-'));
      sets = writeModelSets(root, { odd: true });
      oracle = await Oracle.start('mergekit_oracle.py');
    }, 120_000);
    afterAll(async () => {
      await oracle.close();
      rmSync(root, { recursive: true });
    });

    it('knows no difference that the document does not name', () => {
      const document = readFileSync(resolve(import.meta.dirname, '../../docs/methods-mergekit-differences.md'), 'utf8');
      const rows = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
      const unnamed = knownDifferences.flatMap(({ row, methods }) => {
        const found = rows.find(([, , theirs = '']) => theirs.startsWith(row));
        return methods.filter((method) => found?.[1]?.split(/[`, ]+/).includes(method) !== true);
      });
      expect(unnamed).toEqual([]);
    });

    it.each(Array.from({ length: count }, (_item, i) => [first + i, methodOf(first + i)] as const))(
      'agrees on recipe %i, by %s',
      async (seed) => {
        const generated = generatedCase(seed, sets);
        const different = await compareWithMergeKit(oracle, root, generated);
        if (different.length > 0) throw new Error(`${different.join('\n')}\n\n${generated.yaml}`);
        expect(different).toEqual([]);
      },
      // Longer than a busy machine may stand still.
      240_000,
    );
  });
}
