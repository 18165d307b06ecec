import { describe, expect, test } from '@jest/globals';
import type { PlanModel } from './plan-model.js';
import { tokenizerSource } from './tokenizer-source.js';
import { vocabularyOf } from './vocabulary.js';

/** A model of which only the small files are looked at. */
function modelWith(files: Record<string, unknown>): PlanModel {
  const contents = new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    ]),
  );
  const list = [...contents].map(([path, content]) => ({ path, bytes: content.byteLength }));
  return {
    checkpoint: { files: list } as unknown as PlanModel['checkpoint'],
    files: {
      list: () => Promise.resolve(list),
      read: (path, offset, length) =>
        Promise.resolve((contents.get(path) ?? Buffer.alloc(0)).subarray(offset, offset + length)),
    },
    digest: '',
  };
}

const vocab = { '<s>': 0, a: 1, b: 2 };
const added = [{ id: 3, content: '<|im_end|>', special: true }];
const tokenizer = { truncation: null, added_tokens: added, model: { type: 'BPE', vocab, merges: [] } };

async function sourceOf(first: Record<string, unknown>, second: Record<string, unknown>): Promise<string> {
  const models = new Map([
    ['one', modelWith(first)],
    ['two', modelWith(second)],
  ]);
  const recipe = { merge_method: 'linear', models: [{ model: 'one' }, { model: 'two' }] } as const;
  return tokenizerSource({ ...recipe, models: [...recipe.models], tokenizer_source: 'two' }, ['one', 'two'], models);
}

describe('two tokenizers', () => {
  test.each<[string, Record<string, unknown>]>([
    ['another layout', { 'tokenizer.json': JSON.stringify(tokenizer, null, 2) }],
    ['another truncation', { 'tokenizer.json': { ...tokenizer, truncation: { max_length: 64 } } }],
    ['further files', { 'tokenizer.json': tokenizer, 'tokenizer.model': 'sentencepiece', 'vocab.json': vocab }],
    [
      'the added token in the vocabulary',
      { 'tokenizer.json': { added_tokens: [], model: { vocab: { '<|im_end|>': 3, ...vocab } } } },
    ],
    ['tokens with scores', { 'tokenizer.json': { added_tokens: added, model: { vocab: [['<s>', 0], ['a', -1], ['b', -2]] } } }], // prettier-ignore
  ])('with %s have the same rows', async (_what, files) => {
    await expect(sourceOf({ 'tokenizer.json': tokenizer }, files)).resolves.toBe('two');
  });

  test.each<[string, Record<string, unknown>]>([
    ['another token', { 'tokenizer.json': { ...tokenizer, model: { vocab: { ...vocab, c: 2 } } } }],
    ['tokens exchanged', { 'tokenizer.json': { ...tokenizer, model: { vocab: { ...vocab, a: 2, b: 1 } } } }],
    ['one more added', { 'tokenizer.json': { ...tokenizer, added_tokens: [...added, { id: 4, content: 'x' }] } }],
    ['no tokenizer', {}],
    ['one that cannot be read', { 'tokenizer.json': '{"model": {' }],
    ['one of another kind', { 'tokenizer.model': 'sentencepiece' }],
    ['ids that are no numbers', { 'tokenizer.json': { model: { vocab: { a: 'x' } } } }],
  ])('with %s are refused', async (_what, files) => {
    await expect(sourceOf({ 'tokenizer.json': tokenizer }, files)).rejects.toMatchObject({ code: 'tokenizers_differ' });
  });

  test.each<[string, unknown]>([
    ['no JSON', '[1'],
    ['no mapping', '3'],
    ['no model', {}],
    ['a list of anything', { model: { vocab: [1, null, 'a'] } }],
    ['added tokens of anything', { model: { vocab }, added_tokens: [null, 3] }],
    ['an empty vocabulary', { model: { vocab: {} } }],
  ])('%s is no vocabulary', async (_what, content) => {
    await expect(vocabularyOf(modelWith({ 'tokenizer.json': content }))).resolves.toBeUndefined();
  });
});
