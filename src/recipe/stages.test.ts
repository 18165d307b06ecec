import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecipeError } from './errors.js';
import { parseRecipe } from './read-recipe.js';

const stage = (name: string | undefined, ...models: string[]): string =>
  `${name === undefined ? '' : `name: ${name}\n`}merge_method: linear\nmodels:\n${models
    .map((model) => `  - { model: ${model}, parameters: { weight: 1 } }\n`)
    .join('')}`;
const file = (...stages: string[]): string => stages.join('---\n');

function issuesOf(text: string): string[] {
  try {
    return parseRecipe(text).warnings.map(({ code, line, column, pointer }) => `${code} ${line}:${column} ${pointer}`);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return error.issues.map(({ code, line, column, pointer }) => `${code} ${line}:${column} ${pointer}`);
  }
}

function orderOf(text: string): string[] {
  return parseRecipe(text).stages.map(({ recipe }) => recipe.name ?? '-');
}

describe('several recipes in one text', () => {
  it('are carried out in an order in which each finds what it needs', () => {
    expect(
      orderOf(file(stage(undefined, 'second', 'c'), stage('second', 'first', 'b'), stage('first', 'a', 'b'))),
    ).toEqual(['first', 'second', '-']);
    expect(orderOf(file(stage('x', 'a', 'b'), stage('y', 'x', 'c')))).toEqual(['x', 'y']);
  });

  it('may be named by out_path, as MergeKit’s first ones were', () => {
    const first = stage(undefined, 'a', 'b') + 'out_path: ./models/first\n';
    const { stages, warnings } = parseRecipe(file(first, stage(undefined, './models/first', 'c')));
    expect(stages.map(({ uses }) => uses)).toEqual([[], ['./models/first']]);
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      'a circle',
      file(stage('x', 'y', 'a'), stage('y', 'x', 'a'), stage(undefined, 'x', 'b')),
      ['stage_cycle 10:14 /1/models/0/model'],
    ],
    [
      'a recipe of itself',
      file(stage('x', 'x', 'a'), stage(undefined, 'x', 'b')),
      ['stage_cycle 4:14 /0/models/0/model'],
    ],
    [
      'a circle that nobody needs',
      file(stage('x', 'x', 'a'), stage(undefined, 'b', 'c')),
      ['unused_stage 1:7 /0/name', 'stage_cycle 4:14 /0/models/0/model'],
    ],
    [
      'a name with a slip',
      file(stage('first', 'a', 'b'), stage(undefined, 'frist', 'b')),
      ['unused_stage 1:7 /0/name', 'unknown_stage 9:14 /1/models/0/model'],
    ],
    [
      'the same name twice',
      file(stage('x', 'a', 'b'), stage('x', 'a', 'c'), stage(undefined, 'x', 'b')),
      ['duplicate_stage 7:7 /1/name', 'unused_stage 7:7 /1/name'],
    ],
    [
      'two without a name',
      file(stage(undefined, 'a', 'b'), stage(undefined, 'a', 'c')),
      ['unnamed_stage 1:1 /0', 'unused_stage 1:1 /0'],
    ],
    [
      'one that the result does not need',
      file(stage('x', 'a', 'b'), stage(undefined, 'a', 'c')),
      ['unused_stage 1:7 /0/name'],
    ],
  ])('say where there is %s', (_what, text, issues) => {
    expect(issuesOf(text)).toEqual(issues);
  });

  it('never run a stage before what it uses, whatever the order of the documents', () => {
    const edges = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 20, selector: String });
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
    fc.assert(
      fc.property(edges, order, (pairs, documents) => {
        const uses = (i: number): string[] =>
          pairs.flatMap(([from, to]) => (from === i && to < i ? [`stage-${to}`] : []));
        const last = documents.map((i) => stage(i === 7 ? undefined : `stage-${i}`, 'a/b', ...uses(i)));
        const done = new Set<string>();
        for (const { recipe, uses: needed } of parseRecipe(file(...last)).stages) {
          expect(needed.filter((name) => !done.has(name))).toEqual([]);
          done.add(recipe.name ?? 'result');
        }
        expect(done).toContain('result');
      }),
      { numRuns: 200 },
    );
  });
});
