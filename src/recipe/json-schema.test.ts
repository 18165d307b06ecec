import { describe, expect, it } from '@jest/globals';
import { methodNames } from './methods/method.js';
import { recipeJsonSchema } from './json-schema.js';

describe('recipeJsonSchema', () => {
  it('describes recipes as they are written', () => {
    const schema = recipeJsonSchema() as {
      $schema: string;
      $defs: { Recipe: { properties: Record<string, { enum?: string[] }>; anyOf: object[] } };
    };
    const { properties, anyOf } = schema.$defs.Recipe;
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(Object.keys(properties)).toEqual([
      'name',
      'merge_method',
      'base_model',
      'models',
      'slices',
      'modules',
      'overrides',
      'parameters',
      'coefficients',
      'dtype',
      'out_dtype',
      'tokenizer_source',
      'tokenizer',
      'chat_template',
      'preset',
    ]);
    expect(anyOf).toEqual([{ required: ['merge_method'] }, { required: ['preset'] }]);
    expect(properties['merge_method']?.enum).toEqual([...methodNames]);
  });
});
