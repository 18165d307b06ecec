import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { assess } from '../../src/licences/assess.js';
import { parseLicencePaths } from '../../src/licences/licence-paths.js';
import { licencePolicy } from '../../src/licences/licence-policy.js';
import { obligations } from '../../src/licences/obligations.js';
import { expectDrawn, markdownTable } from '../support/drawn-section.js';
import { describeWithShared } from '../support/shared.js';

describeWithShared('licences/licences.tsv', 'the table of licence verdicts', (path) => {
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t') as [string, string, string, string]);

  test('has its 101 rows', () => expect(rows).toHaveLength(101));

  describe.each(rows)('%s', (inputs, verdict, licence, obligations) => {
    test(`is ${verdict}`, () => {
      const found = assess(parseLicencePaths(inputs));
      expect({ ...found, obligations: found.obligations.join(',') || '-' }).toMatchObject({
        ...{ verdict, resultLicence: licence, obligations },
      });
      expect(found.why).toMatch(/\w.*\.$/);
    });

    test('may not earn money where it is non-commercial', () => {
      const { verdict: now } = assess(parseLicencePaths(inputs), { commercial: true });
      expect(now).toBe(obligations.includes('non-commercial') ? 'deny' : verdict);
    });
  });
});

describe('docs/licences.md', () => {
  test('has the obligations', () => {
    const rows = Object.entries(obligations).map(([code, meaning]) => [`\`${code}\``, meaning]);
    expectDrawn('docs/licences.md', 'obligations', markdownTable(['obligation', 'what it asks'], rows));
  });

  test('has the table of the policy', () => {
    const rows = Object.entries(licencePolicy).map(([id, { title, demands, forbids, noDerivatives, approval }]) => {
      const owed = Object.entries(demands).map(([code, clause]) => `\`${code}\` (${clause})`);
      const limits = [
        ...(noDerivatives === undefined ? [] : [`no derivatives: ${noDerivatives}`]),
        ...(forbids === undefined ? [] : [`no further terms: ${forbids.clause}`]),
        ...(approval === undefined ? [] : ['a person decides']),
      ];
      return [`\`${id}\``, title, owed.join(', '), limits.join('; ')];
    });
    const head = ['licence', 'text', 'demands (clause)', 'forbids, or leaves open'];
    expectDrawn('docs/licences.md', 'licences', markdownTable(head, rows));
  });
});
