import { describe, expect, it } from '@jest/globals';
import { canonicalRecipe } from './canonical.js';
import { parseRecipe } from './read-recipe.js';

const canonical = (text: string): string => JSON.stringify(canonicalRecipe(parseRecipe(text).recipe));

const plain = `
merge_method: ties
base_model: a
models:
  - model: b
    parameters: {weight: 1, density: [1, 0.5]}
tokenizer_source: union
dtype: bfloat16
`;

describe('canonicalRecipe', () => {
  it.each([
    [
      'keys in another order, foreign ones among them',
      `
notes: x
dtype: torch.bfloat16
tokenizer: {}
models:
  - parameters: {density: [1.0, 0.5], weight: '1', smooth: 2}
    model: b
base_model: {model: a}
merge_method: ties
`,
    ],
    ['defaults written out', `${plain}parameters: {normalize: yes, rescale: false, lambda: 1, int8_mask: 0.0}`],
    ['a default in its other word', `${plain}parameters: {rescale: none}`],
    ['settings the long way', plain.replace('weight: 1', 'weight: [{value: [1]}, {filter: mlp, value: 3}]')],
    ['empty parameters', `${plain}parameters: {}\nslices: []`.replace('\nslices: []', '')],
  ])('is the same for %s', (_what, text) => {
    expect(canonical(text)).toBe(canonical(plain));
  });

  it.each([
    ['another weight', plain.replace('weight: 1', 'weight: 2')],
    [
      'another order of models',
      plain.replace('  - model: b', '  - model: c\n    parameters: {weight: 1}\n  - model: b'),
    ],
    ['another value than the default', `${plain}parameters: {normalize: false}`],
    ['a word', `${plain}parameters: {rescale: inverse_density}`],
    ['a condition', plain.replace('weight: 1', 'weight: [{filter: mlp, value: 1}, {value: 1}]')],
    ['an output dtype', `${plain}out_dtype: float32`],
  ])('differs for %s', (_what, text) => {
    expect(canonical(text)).not.toBe(canonical(plain));
  });

  it('is a recipe itself, and its own canonical form', () => {
    const once = canonicalRecipe(parseRecipe(plain).recipe);
    expect(canonicalRecipe(parseRecipe(once).recipe)).toEqual(once);
  });
});
