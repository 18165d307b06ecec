import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { RecipeError, type RecipeIssue, parseRecipe } from '../../src/recipe/index.js';
import { sharedPath } from '../support/shared.js';
import { type Published, publishedRecipes } from '../support/wild.js';

interface Verdict extends Published {
  text: string;
  errors: RecipeIssue[];
  warnings: RecipeIssue[];
}

const folder = sharedPath('wild');

function judge(recipe: Published & { text: string }): Verdict {
  try {
    return { ...recipe, errors: [], warnings: parseRecipe(recipe.text).warnings };
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    const errors = error.issues.filter((issue) => issue.severity === 'error');
    return { ...recipe, errors, warnings: error.issues.filter((issue) => issue.severity === 'warning') };
  }
}

const numbers = (verdicts: Verdict[]): string[] => verdicts.map(({ number }) => number);

(folder === undefined ? describe.skip : describe)('recipes that people published (shared/wild)', () => {
  let verdicts: Verdict[] = [];
  let cpuMilliseconds = 0;
  const find = (number: string): Verdict => {
    const found = verdicts.find((verdict) => verdict.number === number);
    if (found === undefined) throw new Error(`no recipe ${number}`);
    return found;
  };

  beforeAll(() => {
    const recipes = publishedRecipes(folder ?? '').map((each) => ({ ...each, text: readFileSync(each.path, 'utf8') }));
    const before = process.cpuUsage();
    verdicts = recipes.map(judge);
    const { user, system } = process.cpuUsage(before);
    cpuMilliseconds = (user + system) / 1000;
  });

  it.each([
    ['041', 'filter'],
    ['135', 'normalize'],
    ['244', 'dtype'],
    ['245', 'dtype'],
  ])('names what was meant in the near miss %s: %s', (number, meant) => {
    const { errors } = find(number);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['near_miss']));
    expect(errors[0]?.message).toContain(`“${meant}”`);
  });

  it('takes near misses with a warning when it is lenient', () => {
    for (const number of ['041', '135', '244', '245']) {
      const { warnings } = parseRecipe(find(number).text, { lenient: true });
      expect(warnings.map(({ code }) => code)).toContain('near_miss');
    }
  });

  it.each([
    ['042', 'missing_field', '/slices/0/sources/3/layer_range'],
    ['071', 'missing_field', '/slices/0/sources/0/layer_range'],
    ['140', 'yaml_syntax', ''],
    ['152', 'yaml_syntax', ''],
    ['153', 'yaml_syntax', ''],
    ['154', 'yaml_syntax', ''],
    ['155', 'yaml_syntax', ''],
    ['162', 'invalid_setting', '/models/0/parameters/dare'],
    ['200', 'no_inputs', ''],
    ['214', 'missing_field', '/slices/0/sources/0/layer_range'],
    ['255', 'invalid_setting', '/parameters/post_merge'],
    ['275', 'yaml_syntax', ''],
    ['281', 'duplicate_key', '/merge_method'],
    ['290', 'yaml_syntax', ''],
    ['311', 'yaml_syntax', ''],
    ['321', 'yaml_syntax', ''],
  ])('refuses %s as MergeKit does: %s at “%s”', (number, code, pointer) => {
    expect(find(number).errors[0]).toMatchObject({ code, pointer });
  });

  it('gives every issue a line and a column', () => {
    const without = verdicts.filter(({ errors, warnings }) =>
      [...errors, ...warnings].some(({ line, column }) => !(Number(line) >= 1 && Number(column) >= 1)),
    );
    expect(numbers(without)).toEqual([]);
  });

  it('calls the files of other tools by their name', () => {
    const tools = verdicts.filter(({ errors }) => errors[0]?.code === 'other_tool');
    expect(new Set(tools.map(({ kind }) => kind))).toEqual(new Set(['moe', 'evolve']));
    expect(tools).toHaveLength(65);
  });

  it('reads all of them in a moment', () => {
    // Half a second, were the machine this test's alone; what grows with the square of anything takes minutes.
    expect(cpuMilliseconds).toBeLessThan(10_000);
  });
});
