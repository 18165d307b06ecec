import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecipeError, type RecipeIssue } from './errors.js';
import { type ParseOptions, type ParsedRecipe, parseRecipe } from './read-recipe.js';

/** `error near_miss 2:3 /models/0/Weight`, or without a place for what was no text. */
function lines(issues: RecipeIssue[]): string[] {
  return issues.map(({ severity, code, line, column, pointer }) =>
    [severity, code, ...(line === undefined ? [] : [`${line}:${column}`]), pointer].join(' ').trim(),
  );
}

function read(input: unknown, options?: ParseOptions): ParsedRecipe | string[] {
  try {
    return parseRecipe(input, options);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return lines(error.issues);
  }
}

const linear = (weight: string, more = ''): string =>
  `merge_method: linear\nmodels:\n  - model: a\n    parameters: {weight: ${weight}}\n${more}`;
const slerp = (more: string): string => `merge_method: slerp\nbase_model: a\nmodels:\n  - model: b\n${more}`;
const stack = (range: string): string =>
  `merge_method: passthrough\nslices:\n  - sources:\n      - {model: a, layer_range: ${range}}\n`;

describe('parseRecipe', () => {
  it('normalises what it reads', () => {
    const text = `
      merge_method: ties
      base_model: {model: {path: org/base, revision: main}}
      models:
        - model: org/base@main
        - model: {model: org/a, lora: org/adapter}
          parameters: {weight: '1e-1', density: [.5, 1.]}
      parameters: {normalize: 1.0, int8_mask: off, lambda: {value: true}}
      dtype: torch.float16
      out_dtype:
      tokenizer: {}
    `;
    expect((read(text) as ParsedRecipe).recipe).toEqual({
      merge_method: 'ties',
      base_model: 'org/base@main',
      models: [
        { model: 'org/base@main' },
        { model: 'org/a+org/adapter', parameters: { weight: 0.1, density: [0.5, 1] } },
      ],
      parameters: { normalize: true, int8_mask: false, lambda: [{ value: 1 }] },
      dtype: 'float16',
      tokenizer: { source: 'union' },
    });
  });

  it('reads the value of a JSON body, without lines', () => {
    const recipe = { merge_method: 'linear', models: [{ model: 'a', parameters: { weight: '0.5' } }] };
    const typed = { ...recipe, models: [{ model: 'a', parameters: { weight: 0.5 } }] };
    expect(read(recipe)).toEqual({
      recipe: typed,
      stages: [{ recipe: typed, document: 0, uses: [] }],
      warnings: [],
      fromPreset: false,
    });
    expect(read({ merge_method: 'linear', models: [{ modle: 'a' }] })).toEqual([
      'error near_miss /models/0/modle',
      'error missing_field /models/0/model',
    ]);
  });

  it('takes the parameters of a base that is listed, and one base under the other', () => {
    const text =
      'merge_method: ties\nbase_model: a\nmodels:\n- model: a\n  parameters: {weight: 1, density: 0.5}\n- model: b\n  parameters: {weight: 1}\n';
    expect((read(text) as ParsedRecipe).warnings).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['no text', '', ['error empty_recipe 1:1']],
    ['a comment alone', '# later', ['error empty_recipe 1:1']],
    ['null', 'null', ['error empty_recipe 1:1']],
    ['a list', '- a', ['error not_a_mapping 1:1']],
    ['a string', 'abc', ['error not_a_mapping 1:1']],
    ['no method', 'models: [{model: a}]', ['error missing_field 1:1 /merge_method']],
    ['another tool’s method', linear('1').replace('linear', 'lrp'), ['error unknown_method 1:15 /merge_method']],
    [
      'a prototype’s member as method',
      linear('1').replace('linear', 'toString'),
      ['error unknown_method 1:15 /merge_method'],
    ],
    ['a method that is no string', 'merge_method: [ties]', ['error wrong_type 1:15 /merge_method']],
    ['nothing to merge', 'merge_method: linear\nmodels: []', ['error no_inputs 1:1']],
    [
      'two forms',
      linear('1', 'parameters: {weight: 1}\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]'),
      ['error several_input_forms 6:1 /slices'],
    ],
    [
      'two tokenizers',
      linear('1', 'tokenizer_source: base\ntokenizer: {source: base}'),
      ['error tokenizer_twice 5:1 /tokenizer_source'],
    ],
    ['a file of mergekit-moe', 'base_model: a\nexperts: []', ['error other_tool 2:1 /experts']],
    ['a file of mergekit-evolve', 'genome: {}', ['error other_tool 1:1 /genome']],
    ['a key for a prototype', linear('1', '__proto__: {merge_method: ties}'), ['error unsafe_key 5:1 /__proto__']],
    [
      'a number for a model',
      linear('1').replace('a', 'a').replace('model: a', 'model: 7'),
      ['error wrong_type 3:12 /models/0/model'],
    ],
    [
      'two adapters',
      linear('1').replace('model: a', 'model: a+b+c'),
      ['error invalid_model_reference 3:12 /models/0/model'],
    ],
    ['a word for a weight', linear('heavy'), ['error not_a_number 4:26 /models/0/parameters/weight']],
    ['no number', linear('.nan'), ['error not_finite 4:26 /models/0/parameters/weight']],
    ['too large a number', linear('1e999'), ['error not_finite 4:26 /models/0/parameters/weight']],
    ['an empty gradient', linear('[]'), ['error empty_list 4:26 /models/0/parameters/weight']],
    ['an empty value', linear(''), ['error missing_field 4:18 /models/0/parameters/weight']],
    ['a word in a gradient', linear('[0, x]'), ['error not_a_number 4:30 /models/0/parameters/weight/1']],
    [
      'a condition without value',
      linear('[{filter: mlp}]'),
      ['error missing_field 4:27 /models/0/parameters/weight/0/value'],
    ],
    [
      'a number for a flag',
      linear('1', 'parameters: {normalize: 2}'),
      ['error not_a_boolean 5:25 /parameters/normalize'],
    ],
    [
      'another parameter’s word for a flag',
      linear('1', 'parameters: {normalize: l1}'),
      ['error not_a_boolean 5:25 /parameters/normalize'],
    ],
    [
      'another parameter’s word for a number',
      linear('inverse_density'),
      ['error not_a_number 4:26 /models/0/parameters/weight'],
    ],
    [
      'a share above one',
      slerp('').replace('slerp', 'sce') + 'parameters: {select_topk: 1.5}',
      ['error out_of_range 5:27 /parameters/select_topk'],
    ],
    [
      'a fraction of an iteration',
      linear('1').replace('linear', 'karcher') + 'parameters: {max_iter: 1.5}',
      [
        'warning parameter_of_other_method 4:18 /models/0/parameters/weight',
        'error not_an_integer 5:24 /parameters/max_iter',
      ],
    ],
    [
      'weights that cancel out but for rounding',
      linear('0.1', '  - {model: b, parameters: {weight: 0.2}}\n  - {model: c, parameters: {weight: -0.3}}'),
      ['error weights_cancel_out 3:3 /models'],
    ],
    ['weights that cancel out', linear('0'), ['error weights_cancel_out 3:3 /models']],
    [
      'no weight',
      'merge_method: linear\nmodels: [{model: a}]',
      ['error missing_parameter 2:10 /models/0/parameters/weight'],
    ],
    ['no weight for the base of linear', linear('1', 'base_model: b'), ['error missing_parameter 5:13 /base_model']],
    ['slerp without t', slerp(''), ['error missing_parameter 1:1 /parameters/t']],
    [
      'slerp without base',
      slerp('parameters: {t: 1}').replace('base_model: a\n', ''),
      ['error base_required 1:1 /base_model'],
    ],
    ['slerp of three', slerp('  - model: c\nparameters: {t: 1}'), ['error too_many_models 4:3 /models']],
    [
      'slerp of the base with itself',
      slerp('parameters: {t: 1}').replace('model: b', 'model: a'),
      ['error too_few_models 4:3 /models'],
    ],
    [
      'a base outside its slice',
      stack('[0, 2]').replace('passthrough', 'slerp') + 'base_model: b\nparameters: {t: 1}',
      ['error base_not_in_slice 4:7 /slices/0/sources'],
    ],
    [
      'passthrough with a base',
      'merge_method: passthrough\nmodels: [{model: a}]\nbase_model: b',
      ['error too_many_models 2:9 /models'],
    ],
    ['a model twice', linear('1', '  - model: a'), ['error duplicate_model 5:12 /models/1/model']],
    ['a reversed range', stack('[2, 1]'), ['error reversed_layers 4:33 /slices/0/sources/0/layer_range']],
    ['a negative layer', stack('[0, -1]'), ['error negative_layer 4:33 /slices/0/sources/0/layer_range']],
    ['an empty range', stack('[3, 3]'), ['error no_layers 4:33 /slices/0/sources/0/layer_range']],
    ['no range', stack('').replace(', layer_range: ', ''), ['error missing_field 4:9 /slices/0/sources/0/layer_range']],
    ['half a layer', stack('[0, 1.5]'), ['error wrong_type 4:37 /slices/0/sources/0/layer_range/1']],
    [
      'sources of different length',
      'merge_method: linear\nparameters: {weight: 1}\nslices:\n- sources:\n  - {model: a, layer_range: [0, 2]}\n  - {model: b, layer_range: [0, 3]}',
      ['error unequal_layers 6:29 /slices/0/sources/1/layer_range'],
    ],
    [
      'a mapping as a parameter of no method',
      linear('1', 'parameters: {train: {epochs: 3}}'),
      ['warning unknown_parameter 5:14 /parameters/train', 'error invalid_setting 5:21 /parameters/train'],
    ],
  ])('refuses %s', (_what, text, issues) => {
    expect(read(text)).toEqual(issues);
  });

  it.each<[string, string, string]>([
    ['a key that is one letter off', linear('1', 'dype: float16'), 'near_miss 5:1 /dype'],
    ['another letter case', linear('1', 'Dtype: float16'), 'near_miss 5:1 /Dtype'],
    ['two letters off in a long key', linear('1', 'tokeniser_sorce: base'), 'near_miss 5:1 /tokeniser_sorce'],
    [
      'a parameter that is one letter off',
      linear('1', 'parameters: {normalise: true}'),
      'near_miss 5:14 /parameters/normalise',
    ],
    [
      'pattern for filter',
      linear('[{pattern: mlp, value: 1}]'),
      'near_miss 4:28 /models/0/parameters/weight/0/pattern',
    ],
  ])('refuses %s, unless it is lenient', (_what, text, issue) => {
    expect(read(text)).toEqual([`error ${issue}`]);
    expect(lines((read(text, { lenient: true }) as ParsedRecipe).warnings)).toEqual([`warning ${issue}`]);
  });

  it('drops the second mention of a model when it is lenient', () => {
    const { recipe, warnings } = read(linear('1', '  - model: a\n    parameters: {weight: 3}'), {
      lenient: true,
    }) as ParsedRecipe;
    expect(lines(warnings)).toEqual(['warning duplicate_model 5:12 /models/1/model']);
    expect(recipe.models).toEqual([{ model: 'a', parameters: { weight: 1 } }]);
  });

  it.each<[string, string, string, string]>([
    ['a key of nobody', linear('1', 'notes: mine'), 'unknown_key 5:1 /notes', 'not a key of a recipe'],
    [
      'a known key elsewhere',
      linear('1').replace('model: a', 'model: a\n    dtype: float16'),
      'misplaced_key 4:5 /models/0/dtype',
      'at the top level',
    ],
    [
      'a parameter beside its model',
      linear('1').replace('model: a', 'model: a\n    density: 1'),
      'misplaced_key 4:5 /models/0/density',
      'under this entry’s parameters',
    ],
    [
      'the same in another letter case',
      linear('1').replace('model: a', 'model: a\n    Density: 1'),
      'unknown_key 4:5 /models/0/Density',
      'under this entry’s parameters',
    ],
    ['a parameter at the top', slerp('t: 1\nparameters: {t: 0}'), 'misplaced_key 5:1 /t', 'under parameters'],
    [
      'another method’s parameter',
      linear('1', 'parameters: {density: 1}'),
      'parameter_of_other_method 5:14 /parameters/density',
      'ties',
    ],
    [
      'nobody’s parameter',
      linear('1', 'parameters: {smooth: a}'),
      'unknown_parameter 5:14 /parameters/smooth',
      'No method',
    ],
    [
      'a key as a parameter',
      linear('1', 'parameters: {dtype: float16}'),
      'misplaced_key 5:14 /parameters/dtype',
      'at the top level',
    ],
    [
      'a method’s one value given per model',
      slerp('    parameters: {t: 1}\nparameters: {t: 0}'),
      'misplaced_parameter 5:18 /models/0/parameters/t',
      'for all models',
    ],
    ['an unknown dtype', linear('1', 'dtype: bfloat162'), 'unknown_dtype 5:8 /dtype', 'bfloat16'],
  ])('warns of %s, saying where it belongs', (_what, text, issue, message) => {
    const { warnings } = read(text) as ParsedRecipe;
    expect(lines(warnings)).toEqual([`warning ${issue}`]);
    expect(warnings[0]?.message).toContain(message);
  });

  it('reads several documents as the stages of one recipe, pointers with the document’s index', () => {
    const { recipe, warnings } = read(`${linear('1', 'name: early')}\n---\n${linear('1', 'notes: x')}`) as ParsedRecipe;
    expect(recipe.stages).toEqual([]);
    expect(lines(warnings)).toEqual(['warning unused_stage 5:7 /0/name', 'warning unknown_key 11:1 /1/notes']);
  });

  it('refuses what it cannot carry out, with its place, when asked to', () => {
    expect(read(linear('1', 'chat_template: auto'), { executable: true })).toEqual([
      'error not_supported_yet 5:16 /chat_template',
    ]);
    const several = `${linear('1', 'name: early')}\n---\n${linear('1', 'chat_template: auto')}`;
    expect(read(several, { executable: true })).toContain('error not_supported_yet 11:16 /1/chat_template');
  });

  it('keeps no more than a hundred issues, an error among them', () => {
    const many = Array.from({ length: 900 }, (_, index) => `zz${index}: 1`).join('\n');
    const issues = read(`${many}\nmerge_method: lrp`) as string[];
    expect(issues.length).toBeLessThanOrEqual(101);
    expect(issues.some((issue) => issue.startsWith('error'))).toBe(true);
  });

  it('throws nothing but RecipeError, whatever the data', () => {
    const key = fc.constantFrom(
      'merge_method',
      'models',
      'slices',
      'modules',
      'model',
      'sources',
      'parameters',
      'layer_range',
      'weight',
      't',
      'value',
      'filter',
      'base_model',
      'tokenizer',
      'tokens',
      'source',
      '__proto__',
      'constructor',
      'x',
    );
    const leaf = fc.oneof(
      fc.constantFrom('linear', 'slerp', 'ties', 'a', 'a+b', '', '1e-5', 'yes'),
      fc.double(),
      fc.integer({ min: -3, max: 40 }),
      fc.boolean(),
      fc.constant(null),
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6, withCrossShrink: true },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.boolean(), (input, lenient) => {
        if (typeof input !== 'string') read(input, { lenient });
        read(JSON.stringify(input), { lenient });
        expect(({} as Record<string, unknown>)['merge_method']).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  });

  it.each([undefined, () => 1, Symbol('x'), 10n, new Date(0), new Map()])('refuses what is no data: %p', (input) => {
    expect(read(input)).toEqual(['error wrong_type']);
  });

  it('refuses data that contains itself', () => {
    const input: Record<string, unknown> = { merge_method: 'linear' };
    input['models'] = input;
    expect(read(input)).toEqual(['error recipe_too_deep']);
  });
});
