import { describe, expect, it } from '@jest/globals';
import { RecipeError } from './errors.js';
import { assertExecutable } from './executable.js';
import { parseRecipe } from './read-recipe.js';

const refused = (text: string): string[] => {
  try {
    assertExecutable(parseRecipe(text).recipe);
    return [];
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return error.issues.map(({ code, pointer }) => `${code} ${pointer}`);
  }
};

describe('assertExecutable', () => {
  it('lets the five methods pass, with a tokenizer that is only chosen', () => {
    for (const source of ['union', 'base', 'b']) {
      expect(
        refused(
          `{merge_method: slerp, base_model: a, models: [{model: b}], parameters: {t: 0}, tokenizer: {source: ${source}}}`,
        ),
      ).toEqual([]);
    }
  });

  it('names every part that it cannot carry out', () => {
    const text = `
merge_method: sce
base_model: a
modules:
  text:
    models: [{model: b+adapter}]
dtype: bf16
chat_template: auto
tokenizer:
  tokens: {x: {source: b}}
  pad_to_multiple_of: 8
`;
    expect(refused(text)).toEqual([
      'not_supported_yet /modules',
      'not_supported_yet /modules/text/models/0/model',
      'not_supported_yet /chat_template',
      'not_supported_yet /tokenizer/tokens',
      'not_supported_yet /tokenizer/pad_to_multiple_of',
      'unknown_dtype /dtype',
    ]);
  });

  it('looks at every stage', () => {
    const early = 'name: early\nmerge_method: passthrough\nmodels: [{model: a+b}]\n';
    const late = 'merge_method: passthrough\nmodels: [{model: early}]\n';
    expect(refused(`${early}---\n${late}`)).toEqual(['not_supported_yet /models/0/model']);
  });
});
