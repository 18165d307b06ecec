import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWith } from '../support/environment.js';
import { compareWithMergeKit, generatedCase } from '../support/mergekit.js';
import { type WrittenModelSet, writeModelSets } from '../support/model-sets.js';
import { Oracle } from '../support/oracle.js';

const FIRST = 1000;
const CASES = 200;

describeWith(['python', 'soak'], 'MergeKit 0.1.5, merging the same generated recipes', () => {
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

  it.each(Array.from({ length: CASES }, (_item, i) => FIRST + i))(
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
