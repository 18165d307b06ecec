import { beforeAll, expect, it } from '@jest/globals';
import type { RecipeIssue } from '../../src/recipe/index.js';
import { amalgam } from '../support/command.js';
import { describeWithShared } from '../support/shared.js';
import { type Published, publishedRecipes } from '../support/wild.js';

interface Verdict extends Published {
  verdict: 'ok' | 'warning' | 'refused';
  errors: RecipeIssue[];
  warnings: RecipeIssue[];
}

/** Keys and dtypes that MergeKit takes for something else than was meant, or does not look at; one file gives a key twice. */
const NEAR_MISSES = ['041', '135', '244', '245'];
const KEY_GIVEN_TWICE = '281';
/** MergeKit's reasons in the words of our codes. Of each group, what its reason names must be in our message. */
const reasons: readonly [reason: RegExp, code: string][] = [
  [/^(?:Parser|Scanner)Error: /, 'yaml_syntax'],
  [/slices\.\d+\.sources\.\d+\.layer_range \/ Field required/, 'missing_field'],
  [/MergeConfiguration \/ models\.\d+\.model\.model \/ Field required/, 'missing_field'],
  [/ConditionalParameter\.value \/ Field required/, 'invalid_setting'],
  [/^RuntimeError: Missing required parameter (\w+) for/, 'missing_parameter'],
  [/^ValueError: Merge method requires a base input/, 'base_required'],
  [/^ValueError: Base input is not present in merge inputs/, 'base_not_in_slice'],
  [/^ValueError: Duplicate merge inputs/, 'duplicate_model'],
  [/^ValueError: Merge method requires exactly 2 inputs for .*; got 3/, 'too_many_models'],
  [/^RuntimeError: Unimplemented merge method (\w+)/, 'unknown_method'],
  [/^RuntimeError: Exactly one of 'models', 'slices', or 'modules' must be present/, 'no_inputs'],
  // One recipe in the place of several: ours says what is wrong with that one.
  [/^ComposerError: expected a single document/, 'no_inputs'],
  [/MergeConfiguration \/ merge_method \/ Field required/, 'missing_field'],
];

/** Recipes of MergeKit's other tools lack what a merge needs, and methods of forks have keys of their own. */
function isSameReason({ reason, kind, errors }: Verdict): boolean {
  if (errors.some(({ code }) => code === 'other_tool')) {
    return (kind === 'moe' || kind === 'evolve') && /Field required|Exactly one of/.test(reason);
  }
  if (kind === 'other' && reason.includes('Exactly one of'))
    return errors.some(({ code }) => code === 'unknown_method');
  return reasons.some(([pattern, code]) => {
    const found = pattern.exec(reason);
    return found !== null && errors.some((error) => error.code === code && error.message.includes(found[1] ?? ''));
  });
}

describeWithShared('wild', '`amalgam validate` of recipes that people published (shared/wild)', (folder) => {
  let verdicts: Verdict[] = [];
  const numbers = (those: (verdict: Verdict) => boolean): string[] =>
    verdicts.filter(those).map(({ number }) => number);

  beforeAll(async () => {
    const recipes = publishedRecipes(folder);
    const { stdout } = await amalgam(['validate', '--json', ...recipes.map(({ path }) => path)]);
    const said = JSON.parse(stdout) as { path: string; verdict: Verdict['verdict']; issues: RecipeIssue[] }[];
    verdicts = recipes.map((recipe, i) => {
      const { path = '', verdict = 'refused', issues = [] } = said[i] ?? {};
      expect(path).toBe(recipe.path);
      const errors = issues.filter(({ severity }) => severity === 'error');
      return { ...recipe, verdict, errors, warnings: issues.filter(({ severity }) => severity === 'warning') };
    });
  }, 60_000);

  it('accepts what MergeKit’s planner accepts, by every method, near misses aside', () => {
    const planned = verdicts.filter(({ planned, number }) => planned && number !== KEY_GIVEN_TWICE);
    expect(planned).toHaveLength(266);
    expect(planned.filter(({ verdict }) => verdict === 'refused').map(({ number }) => number)).toEqual(NEAR_MISSES);
    expect(numbers(({ number, errors }) => number === KEY_GIVEN_TWICE && errors[0]?.code === 'duplicate_key')).toEqual([
      KEY_GIVEN_TWICE,
    ]);
  });

  it('accepts near misses when it is asked to', async () => {
    const paths = verdicts.filter(({ number }) => NEAR_MISSES.includes(number)).map(({ path }) => path);
    expect((await amalgam(['validate', '--lenient', ...paths])).status).toBe(0);
  });

  it('accepts the files of several recipes that mergekit-multi takes', () => {
    const staged = numbers(({ staged }) => staged);
    expect(staged).toEqual(['317', '318', '320', '322']);
    expect(numbers(({ staged, verdict }) => staged && verdict === 'refused')).toEqual([]);
  });

  it('refuses everything else, for the reason that MergeKit has', () => {
    const others = verdicts.filter(({ planned, staged }) => !planned && !staged);
    expect(others.filter(({ verdict }) => verdict !== 'refused').map(({ number }) => number)).toEqual([]);
    const different = others.filter((verdict) => !isSameReason(verdict));
    expect(different.map(({ number, reason, errors }) => ({ number, reason, errors }))).toEqual([]);
  });
});
