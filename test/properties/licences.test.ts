import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { assess } from '../../src/licences/assess.js';
import { parseLicencePaths } from '../../src/licences/licence-paths.js';
import { describeWithShared } from '../support/shared.js';

describeWithShared('licences/licences.tsv', 'the table of licence verdicts', (path) => {
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));

  test('has its 101 rows', () => expect(rows).toHaveLength(101));

  describe.each(rows)('%s', (inputs, verdict, licence, obligations) => {
    test(`is ${verdict}`, () => {
      const found = assess(parseLicencePaths(inputs ?? ''));
      expect({ ...found, obligations: found.obligations.join(',') || '-' }).toMatchObject({
        ...{ verdict, resultLicence: licence, obligations },
      });
      expect(found.why).toMatch(/\w.*\.$/);
    });

    test('may not earn money where it is non-commercial', () => {
      const { verdict: now } = assess(parseLicencePaths(inputs ?? ''), { commercial: true });
      expect(now).toBe(obligations?.includes('non-commercial') ? 'deny' : verdict);
    });
  });
});
