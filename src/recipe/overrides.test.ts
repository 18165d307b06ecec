import { describe, expect, it } from '@jest/globals';
import { canonicalRecipe } from './canonical.js';
import { RecipeError, type RecipeIssue } from './errors.js';
import { parseRecipe } from './read-recipe.js';

const ties = `merge_method: ties
base_model: c
models:
  - {model: a, parameters: {weight: 1, density: 0.5}}
  - {model: b, parameters: {weight: 1}}
`;

function issuesOf(text: string): RecipeIssue[] {
  try {
    return parseRecipe(text).warnings;
  } catch (error) {
    if (error instanceof RecipeError) return error.issues;
    throw error;
  }
}

const found = (text: string): string[] =>
  issuesOf(text).map(({ code, pointer, line, column }) => `${code} ${pointer} ${line ?? 0}:${column ?? 0}`);

describe('overrides', () => {
  it('name another method, base and parameters for the tensors that their selectors take', () => {
    const text = `${ties}overrides:
  - {role: attention, merge_method: slerp, base_model: a, parameters: {t: 0.5}}
  - {glob: "*.mlp.*", layers: [0, 4], parameters: {density: 0.2}}
  - {regex: "norm\\\\.weight$", merge_method: linear, parameters: {weight: 1}}
`;
    const { recipe, warnings } = parseRecipe(text);
    expect(recipe.overrides).toEqual([
      { role: 'attention', merge_method: 'slerp', base_model: 'a', parameters: { t: 0.5 } },
      { glob: '*.mlp.*', layers: [0, 4], parameters: { density: 0.2 } },
      { regex: 'norm\\.weight$', merge_method: 'linear', parameters: { weight: 1 } },
    ]);
    expect(warnings.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(['beyond_mergekit /overrides']);
  });

  it.each([
    ['a slip in a selector', '{rol: mlp}', 'near_miss /overrides/0/rol 7:6'],
    ['a slip in a parameter', '{parameters: {densty: 1}}', 'near_miss /overrides/0/parameters/densty 7:19'],
    ['a role that is none', '{role: heads}', 'invalid_value /overrides/0/role 7:12'],
    ['a pattern that is none', '{regex: "(?=a)"}', 'invalid_pattern /overrides/0/regex 7:13'],
    ['a method that is none', '{merge_method: slurp}', 'unknown_method /overrides/0/merge_method 7:20'],
    ['too many models', '{merge_method: slerp, parameters: {t: 1}}', 'too_many_models /overrides/0 7:5'],
    [
      'a parameter that is missing',
      '{merge_method: nearswap, base_model: a}',
      'missing_parameter /overrides/0/parameters/t 7:5',
    ],
    ['layers of one number', '{layers: 3}', 'wrong_type /overrides/0/layers 7:14'],
  ])('refuse %s at its place', (_what, override, refusal) => {
    expect(found(`${ties}overrides:\n  - ${override}\n`)).toContain(refusal);
  });

  it('may give a parameter that the recipe’s method needs', () => {
    const text =
      'merge_method: slerp\nbase_model: a\nmodels: [{model: b}]\noverrides: [{role: mlp, parameters: {t: 1}}, {parameters: {t: 0}}]\n';
    expect(() => parseRecipe(text)).not.toThrow();
  });

  it('stand in the canonical recipe, in their shortest form, and no default of one method hides another’s', () => {
    const text = `merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]
overrides: [{filter: mlp, merge_method: ties, base_model: c, parameters: {density: [0.5]}}]\n`;
    const canonical = canonicalRecipe(parseRecipe(text).recipe) as { parameters?: object; overrides: object[] };
    expect(canonical.overrides).toEqual([
      { base_model: 'c', filter: 'mlp', merge_method: 'ties', parameters: { density: 0.5 } },
    ]);
    expect(canonicalRecipe(parseRecipe(ties).recipe)).toEqual(
      canonicalRecipe(parseRecipe(`${ties}overrides: []\n`).recipe),
    );
  });
});

describe('a slice with a method of its own', () => {
  const slices = (method: string): string => `merge_method: passthrough
slices:
  - sources: [{model: a, layer_range: [0, 2]}]
  - sources: [{model: a, layer_range: [2, 4]}, {model: b, layer_range: [2, 4]}]
    merge_method: ${method}
    base_model: a
    parameters: {t: 0.5}
`;

  it('is taken, with a note that MergeKit ignores it', () => {
    expect(found(slices('slerp'))).toEqual(['beyond_mergekit /slices/1/merge_method 5:5']);
  });

  it('is held to that method’s arity', () => {
    expect(found(slices('passthrough'))).toContain('too_many_models /slices/1 4:5');
  });
});

describe('a parameter’s condition', () => {
  it('may select by role, layers, glob and pattern beside the filter', () => {
    const density = [
      { value: 0.1, role: 'mlp', layers: [0, 2] },
      { value: 0.2, glob: '*.q_proj.*' },
      { value: 0.3, regex: 'norm|bias' },
      { value: 0.4 },
    ];
    const text = ties.replace('density: 0.5', `density: ${JSON.stringify(density)}`);
    expect(parseRecipe(text).recipe.models?.[0]?.parameters?.['density']).toEqual(density);
  });
});
