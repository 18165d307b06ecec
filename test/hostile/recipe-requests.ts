/** One attack on POST /v1/plans and /v1/merges: what is sent, and the code that refuses it. */
export interface RecipeAttack {
  name: string;
  body: string | Record<string, unknown>;
  contentType?: string;
  query?: string;
  status: number;
  code: string;
  /** Where the answer must point. */
  pointer?: string;
}

const slerp = {
  merge_method: 'slerp',
  base_model: 'samples/base',
  models: [{ model: 'samples/sort' }],
  parameters: { t: 0.5 },
};
const withModel = (model: unknown) => ({ recipe: { ...slerp, models: [{ model }] } });
const json = (text: string): Pick<RecipeAttack, 'body' | 'contentType'> => ({
  body: text,
  contentType: 'application/json',
});

/** Nine levels of nine aliases each: 9^9 values when they are written out. */
const bomb = [
  'a0: &a0 [x,x,x,x,x,x,x,x,x]',
  ...Array.from(
    { length: 8 },
    (_unused, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(',')}]`,
  ),
].join('\n');

export const recipeAttacks: RecipeAttack[] = [
  { name: 'ten thousand open brackets', body: '['.repeat(10_000), status: 422, code: 'recipe_too_deep' },
  { name: 'ten thousand open braces', body: '{a: '.repeat(10_000), status: 422, code: 'recipe_too_deep' },
  { name: 'ten thousand levels of indentation marks', body: '- '.repeat(10_000), status: 422, code: 'recipe_too_deep' },
  { name: 'ten thousand brackets in JSON', ...json('['.repeat(10_000)), status: 400, code: 'malformed_body' },
  {
    name: 'ten thousand levels of JSON',
    ...json(`{"recipe":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`),
    status: 422,
    code: 'recipe_too_deep',
  },
  { name: 'an alias bomb', body: bomb, status: 422, code: 'recipe_too_large' },
  { name: 'an alias inside its own anchor', body: 'a: &a [*a]\n', status: 422, code: 'yaml_alias' },
  { name: 'a key twice', body: 'merge_method: slerp\nmerge_method: linear\n', status: 422, code: 'duplicate_key' },
  {
    name: 'a tag that makes objects',
    body: 'merge_method: !!js/function "function(){}"\n',
    status: 422,
    code: 'yaml_tag',
  },
  { name: 'a tag of Python', body: '!!python/object/apply:os.system ["id"]\n', status: 422, code: 'yaml_tag' },
  { name: 'bytes that are no text', body: 'merge_method: \u0000\n', status: 422, code: 'invalid_text' },
  { name: 'nothing', body: '', status: 422, code: 'empty_recipe' },
  { name: 'a number', body: '42', status: 422, code: 'not_a_mapping' },
  { name: 'a recipe that is null', body: { recipe: null }, status: 400, code: 'invalid_request', pointer: '/recipe' },
  {
    name: 'a recipe that is a list',
    body: { recipe: [slerp] },
    status: 400,
    code: 'invalid_request',
    pointer: '/recipe',
  },
  {
    name: 'a prototype key in JSON',
    ...json('{"recipe":{"__proto__":{"polluted":1},"merge_method":"slerp"}}'),
    status: 400,
    code: 'malformed_body',
  },
  {
    name: 'a constructor key in JSON',
    ...json('{"constructor":{"prototype":{"polluted":1}},"recipe":{}}'),
    status: 400,
    code: 'malformed_body',
  },
  {
    name: 'a body that is too large',
    body: `# ${'x'.repeat(70_000)}\nmerge_method: slerp\n`,
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'a form',
    body: 'recipe=1',
    contentType: 'application/x-www-form-urlencoded',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'plain text',
    body: 'merge_method: slerp',
    contentType: 'text/plain',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'an unknown model',
    body: withModel('samples/nothing'),
    status: 422,
    code: 'input_not_found',
    pointer: '/recipe/models/0/model',
  },
  {
    name: 'an unknown version',
    body: withModel('samples/sort@999'),
    status: 422,
    code: 'input_not_found',
    pointer: '/recipe/models/0/model',
  },
  { name: 'an unknown alias', body: withModel('samples/sort@nothing'), status: 422, code: 'input_not_found' },
  {
    name: 'a version beyond every integer',
    body: withModel('samples/sort@99999999999999999999'),
    status: 422,
    code: 'reference_invalid',
  },
  {
    name: 'a path upwards',
    body: withModel('../../etc/passwd'),
    status: 422,
    code: 'reference_invalid',
    pointer: '/recipe/models/0/model',
  },
  { name: 'an absolute path', body: withModel('/etc'), status: 422, code: 'reference_invalid' },
  { name: 'a path upwards within a name', body: withModel('samples/..'), status: 422, code: 'reference_invalid' },
  { name: 'an encoded path upwards', body: withModel('samples/%2e%2e'), status: 422, code: 'reference_invalid' },
  { name: 'a file URL', body: withModel('file:///etc/passwd'), status: 422, code: 'reference_invalid' },
  {
    name: 'a URL of the metadata service',
    body: withModel('http://169.254.169.254/latest'),
    status: 422,
    code: 'reference_invalid',
  },
  {
    name: 'a name with SQL',
    body: withModel("samples/sort'; drop table merges; --"),
    status: 422,
    code: 'reference_invalid',
  },
  {
    name: 'a name with a line break',
    body: withModel('samples/sort\nx'),
    status: 422,
    code: 'invalid_model_reference',
  },
  { name: 'a model that is a number', body: withModel(7), status: 422, code: 'wrong_type' },
  { name: 'a model that is an object', body: withModel({ toString: 'x' }), status: 422, code: 'missing_field' },
  {
    name: 'a number beyond every float',
    body: { recipe: { ...slerp, parameters: { t: '1e999' } } },
    status: 422,
    code: 'not_finite',
  },
  {
    name: 'not a number',
    body: { recipe: { ...slerp, parameters: { t: '.nan' } } },
    status: 422,
    code: 'not_a_number',
  },
  {
    name: 'a word for a number',
    body: { recipe: { ...slerp, parameters: { t: 'half' } } },
    status: 422,
    code: 'not_a_number',
  },
  {
    name: 'layers before the first',
    body: {
      recipe: { merge_method: 'passthrough', slices: [{ sources: [{ model: 'samples/base', layer_range: [-1, 2] }] }] },
    },
    status: 422,
    code: 'negative_layer',
  },
  {
    name: 'layers that are not there',
    body: {
      recipe: {
        merge_method: 'passthrough',
        slices: [{ sources: [{ model: 'samples/base', layer_range: [0, 1e9] }] }],
      },
    },
    status: 422,
    code: 'layer_range_invalid',
  },
  {
    name: 'an unknown method',
    body: { recipe: { ...slerp, merge_method: 'constructor' } },
    status: 422,
    code: 'unknown_method',
  },
  { name: 'an adapter', body: withModel('samples/sort+samples/light'), status: 422, code: 'not_supported_yet' },
  {
    name: 'a base that is not given',
    body: { recipe: { merge_method: 'slerp', models: slerp.models, parameters: { t: 0.5 } } },
    status: 422,
    code: 'base_required',
  },
  { name: 'no models', body: { recipe: { ...slerp, models: [] } }, status: 422, code: 'no_inputs' },
  {
    name: 'a recipe whose name has NUL',
    body: { recipe: { ...slerp, name: 'x\u0000' } },
    status: 422,
    code: 'invalid_text',
  },
  {
    name: 'a negative seed',
    body: { recipe: slerp, seed: -1 },
    status: 400,
    code: 'invalid_request',
    pointer: '/seed',
  },
  {
    name: 'a seed with a fraction',
    body: { recipe: slerp, seed: 0.5 },
    status: 400,
    code: 'invalid_request',
    pointer: '/seed',
  },
  {
    name: 'a seed beyond 2^53',
    body: { recipe: slerp, seed: 2 ** 60 },
    status: 400,
    code: 'invalid_request',
    pointer: '/seed',
  },
  {
    name: 'shards of a byte',
    body: { recipe: slerp, shardBytes: 1 },
    status: 400,
    code: 'invalid_request',
    pointer: '/shardBytes',
  },
  {
    name: 'shards of no size',
    body: { recipe: slerp, shardBytes: '1GB' },
    status: 400,
    code: 'invalid_request',
    pointer: '/shardBytes',
  },
  {
    name: 'an unknown device',
    body: { recipe: slerp, device: 'tpu' },
    status: 400,
    code: 'invalid_request',
    pointer: '/device',
  },
  {
    name: 'an unknown member',
    body: { recipe: slerp, callback: 'http://localhost' },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'an unknown query parameter of a YAML body',
    body: 'merge_method: slerp\n',
    query: 'sead=1',
    status: 400,
    code: 'invalid_request',
  },
];

const merge = (more: Record<string, unknown>): Record<string, unknown> => ({
  recipe: slerp,
  output: 'team/hostile',
  ...more,
});

/** What only a merge has: a name for the result, and what is said about it. */
export const mergeAttacks: RecipeAttack[] = [
  { name: 'no output', body: { recipe: slerp }, status: 400, code: 'invalid_request', pointer: '/output' },
  {
    name: 'an output upwards',
    body: merge({ output: '../team' }),
    status: 400,
    code: 'invalid_request',
    pointer: '/output',
  },
  {
    name: 'an output with three parts',
    body: merge({ output: 'a/b/c' }),
    status: 400,
    code: 'invalid_request',
    pointer: '/output',
  },
  {
    name: 'an output with a version',
    body: merge({ output: 'team/x@1' }),
    status: 400,
    code: 'invalid_request',
    pointer: '/output',
  },
  {
    name: 'an output with NUL',
    body: merge({ output: 'team/x\u0000' }),
    status: 400,
    code: 'invalid_request',
    pointer: '/output',
  },
  {
    name: 'an output of a kilobyte',
    body: merge({ output: `team/${'x'.repeat(1_000)}` }),
    status: 400,
    code: 'invalid_request',
    pointer: '/output',
  },
  {
    name: 'an alias that is a number',
    body: merge({ alias: '1' }),
    status: 400,
    code: 'invalid_request',
    pointer: '/alias',
  },
  {
    name: 'labels that are a list',
    body: merge({ labels: ['a'] }),
    status: 400,
    code: 'invalid_request',
    pointer: '/labels',
  },
  {
    name: 'a label with NUL',
    body: merge({ labels: { a: '\u0000' } }),
    status: 400,
    code: 'invalid_request',
    pointer: '/labels/a',
  },
  {
    name: 'a hundred labels',
    body: merge({ labels: Object.fromEntries(Array.from({ length: 100 }, (_unused, at) => [`l${at}`, ''])) }),
    status: 400,
    code: 'invalid_request',
    pointer: '/labels',
  },
];
