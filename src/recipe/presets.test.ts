import { describe, expect, it } from '@jest/globals';
import { canonicalRecipe } from './canonical.js';
import { RecipeError } from './errors.js';
import { presetNames, presets } from './presets.js';
import { parseRecipe } from './read-recipe.js';

const llama3Sec = `merge_method: ties
base_model: base
models:
  - model: cpt
    parameters:
      weight:
        - {filter: mlp, value: [0.25, 0.5, 0.5, 0.25]}
        - {filter: self_attn, value: [0.25, 0.5, 0.5, 0]}
        - value: [0.25, 0.5, 0.5, 0.25]
      density: 0.75
  - model: instruct
    parameters:
      weight:
        - {filter: mlp, value: [0.75, 0.5, 0.5, 0.75]}
        - {filter: self_attn, value: [0.75, 0.5, 0.5, 1]}
        - value: [0.75, 0.5, 0.5, 0.75]
      density: 1.0
parameters: {normalize: true}
`;

const canonical = (text: string): object => canonicalRecipe(parseRecipe(text).recipe);

function refusal(text: string): string {
  try {
    parseRecipe(text);
  } catch (error) {
    if (error instanceof RecipeError) return error.issues.map(({ code, pointer }) => `${code} ${pointer}`).join(', ');
  }
  return '';
}

describe('a preset', () => {
  it('sec_ties is the recipe of Llama-3-SEC', () => {
    const text = 'preset: sec_ties\nbase_model: base\nmodels: [{model: cpt}, {model: instruct}]\n';
    expect(canonical(text)).toEqual(canonical(llama3Sec));
  });

  it('model_soup is the plain mean', () => {
    const plain = 'merge_method: linear\nmodels: [{model: a}, {model: b}, {model: c}]\nparameters: {weight: 1}\n';
    expect(
      canonical(plain.replace('merge_method: linear', 'preset: model_soup').replace(/parameters.*\n/, '')),
    ).toEqual(canonical(plain));
  });

  it('chat_vector adds what chat training changed', () => {
    const text = 'preset: chat_vector\nbase_model: base\nmodels: [{model: cpt}, {model: chat}]\n';
    expect(canonical(text)).toEqual(
      canonical(
        'merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: cpt, parameters: {weight: 1}}, {model: chat, parameters: {weight: 1}}]\n',
      ),
    );
  });

  it('gives way to what the recipe says itself', () => {
    const text =
      'preset: chat_vector\nbase_model: base\nmodels: [{model: cpt}, {model: chat, parameters: {weight: 0.5}}]\nparameters: {lambda: 0.9}\n';
    const { recipe } = parseRecipe(text);
    expect(recipe.models?.map(({ parameters }) => parameters?.['weight'])).toEqual([1, 0.5]);
    expect(recipe.parameters?.['lambda']).toBe(0.9);
  });

  it.each([
    ['a name that is none', 'preset: soup\nmodels: []\n', 'unknown_preset /preset'],
    ['a method beside it', 'preset: model_soup\nmerge_method: ties\nmodels: []\n', 'preset_misused /merge_method'],
    ['slices', 'preset: model_soup\nslices: []\n', 'preset_misused /models'],
    ['another number of models', 'preset: sec_ties\nbase_model: b\nmodels: [{model: a}]\n', 'preset_misused /models'],
    [
      'a base that is one of the models',
      'preset: sec_ties\nbase_model: b\nmodels: [{model: a}, {model: b}]\n',
      'preset_misused /models/1/model',
    ],
    ['no base', 'preset: sec_ties\nmodels: [{model: a}, {model: b}]\n', 'base_required /base_model'],
    [
      'a slip in a parameter',
      'preset: model_soup\nmodels: [{model: a}]\nparameters: {normalise: 1}\n',
      'near_miss /parameters/normalise',
    ],
  ])('refuses %s', (_what, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it.each(presetNames)('%s says what it does and where it is from', (name) => {
    expect(presets[name].doc).toMatch(/\.$/);
    expect(presets[name].source).toMatch(/^https:/);
  });
});
