import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWith, type Requirement } from './environment.js';
import { compareWithMergeKit, generatedCase } from './mergekit.js';
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
      sets = writeModelSets(root);
      oracle = await Oracle.start('mergekit_oracle.py');
    }, 120_000);
    afterAll(async () => {
      await oracle.close();
      rmSync(root, { recursive: true });
    });

    it.each(Array.from({ length: count }, (_item, i) => first + i))(
      'agrees on recipe %i',
      async (seed) => {
        const generated = generatedCase(seed, sets);
        const different = await compareWithMergeKit(oracle, root, generated);
        if (different.length > 0) throw new Error(`${different.join('\n')}\n\n${generated.yaml}`);
        expect(different).toEqual([]);
      },
      60_000,
    );
  });
}
