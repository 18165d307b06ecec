import { describe, expect, test } from '@jest/globals';
import { parseRecipe, recipeText } from '../recipe/index.js';
import { baseReferences, pinRecipe, pointerTo, storedRecipe } from './pinned-recipe.js';

const { recipe } = parseRecipe(`
merge_method: task_arithmetic
base_model: team/base
models:
  - model: team/a@production
    parameters: { weight: 0.5 }
  - model: team/b
    parameters: { weight: 0.5 }
tokenizer_source: team/a@production
`);
const sliced = parseRecipe(`
merge_method: passthrough
slices:
  - sources: [{ model: team/a, layer_range: [0, 2] }]
  - sources: [{ model: team/b, layer_range: [1, 3] }]
`).recipe;
const pins = new Map([
  ['team/base', 'team/base@3'],
  ['team/a@production', 'team/a@7'],
  ['team/b', 'team/b@1'],
]);

describe('pinning a recipe', () => {
  test('every mention of a model becomes the version it means', () => {
    const pinned = pinRecipe(recipe, pins);
    expect(pinned.base_model).toBe('team/base@3');
    expect(pinned.models?.map(({ model }) => model)).toEqual(['team/a@7', 'team/b@1']);
    expect(pinned.tokenizer_source).toBe('team/a@7');
  });

  test('slices too, and what is no model stays', () => {
    const pinned = pinRecipe({ ...sliced, tokenizer_source: 'union' }, new Map([['team/a', 'team/a@1']]));
    expect(pinned.slices?.flatMap(({ sources }) => sources.map(({ model }) => model))).toEqual(['team/a@1', 'team/b']);
    expect(pinned.tokenizer_source).toBe('union');
  });

  test('the text is ordered for people and reads back as the same recipe', () => {
    const pinned = pinRecipe(recipe, pins);
    const text = recipeText(storedRecipe(pinned));
    expect(text.split('\n')[0]).toBe('merge_method: task_arithmetic');
    expect(storedRecipe(parseRecipe(text).recipe)).toEqual(storedRecipe(pinned));
    expect(recipeText(JSON.parse(JSON.stringify(storedRecipe(pinned))) as object)).toBe(text);
  });

  test('a model is found where it is first named', () => {
    expect(pointerTo(recipe, 'team/base')).toBe('/base_model');
    expect(pointerTo(recipe, 'team/b')).toBe('/models/1/model');
    expect(pointerTo(sliced, 'team/b')).toBe('/slices/1/sources/0/model');
    expect(baseReferences(recipe)).toEqual(new Set(['team/base']));
  });
});

test('overrides’ bases are pinned, pointed at and count as bases', () => {
  const mixed = parseRecipe(`
merge_method: linear
models:
  - { model: team/a, parameters: { weight: 1 } }
  - { model: team/b, parameters: { weight: 1 } }
overrides:
  - { role: mlp, merge_method: task_arithmetic, base_model: team/base }
`).recipe;
  expect(pinRecipe(mixed, pins).overrides?.[0]?.base_model).toBe('team/base@3');
  expect(pointerTo(mixed, 'team/base')).toBe('/overrides/0/base_model');
  expect(baseReferences(mixed)).toEqual(new Set(['team/base']));
});
