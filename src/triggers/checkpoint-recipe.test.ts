import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { modelReferences, parseRecipe } from '../recipe/index.js';
import { parseCheckpointRecipe, recipeDigest, withCheckpoint } from './checkpoint-recipe.js';

const parse = (recipe: object) => parseCheckpointRecipe(recipe, false, '/recipe');
const ties = (models: readonly string[], base: string) => ({
  merge_method: 'ties',
  base_model: base,
  models: models.map((model) => ({ model, parameters: { weight: 0.5, density: [1, 0.5] } })),
});
const Place = fc.constantFrom('team/one', 'team/two@3', '$checkpoint');

describe('a recipe with a place for a checkpoint', () => {
  it('is as good as the recipe that names the checkpoint itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(Place, { minLength: 2, maxLength: 3 }), Place, (models, base) => {
        fc.pre([...models, base].includes('$checkpoint'));
        const named = (text: string) => (text === '$checkpoint' ? 'team/checkpoints@7' : text);
        const filled = withCheckpoint(parse(ties(models, base)), 'team/checkpoints@7');
        const direct = parseRecipe(ties(models.map(named), named(base)), { lenient: false }).recipe;
        expect(recipeDigest(filled)).toBe(recipeDigest(direct));
        expect(modelReferences(filled)).not.toContain('$checkpoint');
      }),
    );
  });

  it('may take its tokenizer from the checkpoint', () => {
    const recipe = parse({ ...ties(['$checkpoint', 'team/one'], 'team/two'), tokenizer_source: '$checkpoint' });
    expect(withCheckpoint(recipe, 'team/c@1').tokenizer_source).toBe('team/c@1');
  });

  it('has the same digest however it is written, and another one when it means something else', () => {
    const text = `{merge_method: ties, base_model: team/two, models: [
      {model: $checkpoint, parameters: {density: [1, 0.5], weight: 0.5}},
      {model: team/one, parameters: {weight: 0.5, density: [1, 0.5]}}]}`;
    const recipe = ties(['$checkpoint', 'team/one'], 'team/two');
    expect(recipeDigest(parseCheckpointRecipe(text, false, ''))).toBe(recipeDigest(parse(recipe)));
    expect(recipeDigest(parse({ ...recipe, dtype: 'float16' }))).not.toBe(recipeDigest(parse(recipe)));
  });

  it('is refused without that place', () => {
    expect(() => parse(ties(['team/one', 'team/two'], 'team/two'))).toThrow(
      expect.objectContaining({ code: 'checkpoint_slot_missing', options: { pointer: '/recipe' } }),
    );
    expect(() => parse({ ...ties(['$checkpoint'], 'team/two'), parameter: {} })).toThrow(
      expect.objectContaining({ name: 'RecipeError' }),
    );
  });
});
