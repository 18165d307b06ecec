import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../errors.js';
import { assess, verdicts } from './assess.js';
import { closureOfPaths, parseLicencePaths } from './licence-paths.js';
import { licencePolicy } from './licence-policy.js';
import { obligationOrder } from './obligations.js';

const licence = fc.constantFrom(...Object.keys(licencePolicy), 'other:elsewhere');
const path = fc.array(licence, { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { minLength: 1, maxLength: 4 });

const strictness = (each: readonly (readonly string[])[]): number =>
  verdicts.indexOf(assess(closureOfPaths(each)).verdict);

/** The two rules whose exceptions a further licence may fulfil: they are tested by the table. */
const hasException = (each: readonly (readonly string[])[]): boolean => {
  const all = each.flat();
  const detour = all.some((id) => id.startsWith('cc-by-sa')) && all.some((id) => /^a?l?gpl-3/.test(id));
  return detour || all.includes('llama2') || all.includes('llama3');
};

describe('the licence policy', () => {
  test('judges the same models alike, in whatever order they come', () => {
    fc.assert(
      fc.property(paths, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), (models, random) => {
        const keyed = models.map((model, at) => ({ model, key: random[at] ?? 0 }));
        const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ model }) => model);
        expect(assess(closureOfPaths(shuffled))).toEqual(assess(closureOfPaths(models)));
      }),
    );
  });

  test('gets no milder by a further model', () => {
    fc.assert(
      fc.property(paths, path, (models, further) => {
        fc.pre(!hasException([...models, further]));
        expect(strictness([...models, further])).toBeGreaterThanOrEqual(strictness(models));
      }),
    );
  });

  test('gets no milder by a further ancestor, wherever it stands', () => {
    fc.assert(
      fc.property(paths, licence, fc.nat(), fc.nat(), (models, ancestor, which, where) => {
        const grown = models.map((model, at) =>
          at === which % models.length ? model.toSpliced(where % model.length, 0, ancestor) : model,
        );
        fc.pre(!hasException(grown));
        expect(strictness(grown)).toBeGreaterThanOrEqual(strictness(models));
      }),
    );
  });

  test('lets nothing non-commercial earn money, and changes nothing else', () => {
    fc.assert(
      fc.property(paths, (models) => {
        const closure = closureOfPaths(models);
        const [free, commercial] = [assess(closure), assess(closure, { commercial: true })];
        if (free.obligations.includes('non-commercial')) expect(commercial.verdict).toBe('deny');
        else expect(commercial.verdict).toBe(free.verdict);
      }),
    );
  });

  test('lists obligations in one order, has a licence exactly when there is one, and says why', () => {
    fc.assert(
      fc.property(paths, (models) => {
        const found = assess(closureOfPaths(models));
        expect(found.obligations).toEqual(obligationOrder.filter((each) => found.obligations.includes(each)));
        expect(found.resultLicence === '-').toBe(
          found.verdict === 'deny' || found.obligations.includes('find-licence'),
        );
        expect(found.resultLicence === 'other').toBe(found.licenceName !== undefined);
        expect(found.why).toMatch(/\.$/);
        expect(found.paths.length).toBeLessThanOrEqual(2);
        if (found.verdict === 'deny') expect(found.paths.length).toBeGreaterThan(0);
      }),
    );
  });

  test.each([
    ['openrail+apache-2.0', 'needs-approval', '-'],
    ['llama3.1+llama3.2', 'allow-with-obligations', 'llama3.2'],
    ['openrail+++mit', 'allow-with-obligations', 'openrail++'],
    ['CC-BY-4.0 + MIT', 'allow-with-obligations', 'cc-by-4.0'],
    ['constructor+mit', 'needs-approval', 'other'],
    ['cc-by-sa-4.0+agpl-3.0', 'needs-approval', 'agpl-3.0'],
    ['cc-by-sa-4.0+lgpl-3.0+gpl-3.0', 'allow-with-obligations', 'gpl-3.0'],
    ['gpl-3.0>lgpl-3.0', 'needs-approval', 'gpl-3.0'],
  ])('%s: %s, %s', (inputs, verdict, resultLicence) => {
    expect(assess(parseLicencePaths(inputs))).toMatchObject({ verdict, resultLicence });
  });

  test('names the two paths that clash', () => {
    const { paths: clash } = assess(parseLicencePaths('mit+gpl-3.0>mit+apache-2.0>gemma'));
    expect(clash.map((each) => each.map(({ licence: id }) => id))).toEqual([
      ['gpl-3.0', 'mit'],
      ['apache-2.0', 'gemma'],
    ]);
  });
});

describe('the syntax of inputs', () => {
  test.each([
    '',
    '+',
    'mit+',
    '>mit',
    'mit>>mit',
    'mit,gpl-3.0',
    'a b',
    'other:',
    'é',
    'mit\u0000',
    '__proto__ x',
    '+++',
  ])('refuses %j with a code', (text) => {
    expect(() => parseLicencePaths(text)).toThrow(expect.objectContaining({ code: 'licence_invalid' }));
  });

  test('whatever is written, there is a verdict or a refusal with a code', () => {
    const sign = fc.constantFrom(
      '+',
      '>',
      ' ',
      'other:',
      'llama3',
      'mit',
      'unknown',
      'openrail++',
      '__proto__',
      ':',
      '\n',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(sign, fc.string()), { maxLength: 12 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (inputs) => {
        try {
          expect(verdicts).toContain(assess(parseLicencePaths(inputs)).verdict);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('has limits', () => {
    expect(() => parseLicencePaths('mit+'.repeat(10_000))).toThrow('16384 characters');
    expect(() => parseLicencePaths('mit+'.repeat(300).slice(0, -1))).toThrow('256 models');
    expect(() => parseLicencePaths('mit>'.repeat(65).slice(0, -1))).toThrow('64 generations');
  });
});
