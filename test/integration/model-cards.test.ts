import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { markdownText } from '../../src/cards/markdown.js';
import { methods, type MethodName } from '../../src/recipe/index.js';
import { type Api, startApi } from '../support/api.js';
import { describeWith } from '../support/environment.js';
import { Oracle } from '../support/oracle.js';
import { pushSamples, readSample } from '../support/sample-models.js';

jest.setTimeout(180_000);

interface ParsedCard {
  data: Record<string, unknown>;
  text: string;
}

const llama = 'cards/llama';
const names = ['samples/reverse', 'samples/sort', llama];
const weighted = names.map((model) => ({ model, parameters: { weight: 0.5 } }));
const two = [{ model: 'samples/reverse' }, { model: 'samples/sort' }];
const onBase = (merge_method: MethodName, more: object = {}) => ({
  ...{ merge_method, base_model: 'samples/base', models: weighted },
  ...more,
});

/** Method, recipe, and the licence of the whole: with the third model in it that of Llama 3.1. */
const merges: readonly (readonly [MethodName, object, string])[] = [
  ['linear', { merge_method: 'linear', models: weighted }, 'llama3.1'],
  [
    'slerp',
    { merge_method: 'slerp', base_model: 'samples/reverse', models: [two[1]], parameters: { t: 0.5 } },
    'apache-2.0',
  ],
  ['task_arithmetic', onBase('task_arithmetic'), 'llama3.1'],
  ['ties', onBase('ties', { parameters: { density: 0.5 } }), 'llama3.1'],
  ['dare_ties', onBase('dare_ties', { parameters: { density: 0.5 } }), 'llama3.1'],
  ['dare_linear', onBase('dare_linear', { parameters: { density: 0.5 } }), 'llama3.1'],
  ['breadcrumbs', onBase('breadcrumbs', { parameters: { density: 0.9, gamma: 0.01 } }), 'llama3.1'],
  ['model_stock', { merge_method: 'model_stock', base_model: 'samples/base', models: two }, 'apache-2.0'],
  ['karcher', { merge_method: 'karcher', models: two }, 'apache-2.0'],
  ['passthrough', { merge_method: 'passthrough', models: [{ model: llama }] }, 'llama3.1'],
];

describeWith(['python'], 'the cards of ten merges, read by huggingface_hub', () => {
  let api: Api;
  let hub: Oracle;

  beforeAll(async () => {
    hub = await Oracle.start('model_cards.py');
    api = await startApi();
    await pushSamples(api.client, ['base', 'reverse', 'sort']);
    const card = '---\nlicense: llama3.1\nlanguage:\n- en\n- de\ntags: [not-for-all-audiences]\n---\n';
    await api.client.push(llama, { ...readSample('light'), 'README.md': Buffer.from(card) });
  });

  afterAll(async () => {
    await hub.close();
    await api.close();
  });

  test.each(merges)('%s', async (method, recipe, licence) => {
    const output = `cards/${method.replaceAll('_', '-')}`;
    const { status, body } = await api.client.post('/v1/merges', { recipe, output });
    expect({ status, body }).toMatchObject({ status: 202 });
    await api.client.reach(String(body['id']), ['succeeded']);
    const content = await api.client.text(`/v1/models/${output}/versions/1/card`);

    const { data, text } = await hub.ask<ParsedCard>({ content });
    const inputs = (body['plan'] as { inputs: { version: string }[] }).inputs.map(({ version }) => version);
    const isLlama = licence === 'llama3.1';
    expect(data).toEqual({
      base_model: inputs.map((version) => version.split('@')[0]),
      base_model_relation: 'merge',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      license: licence,
      ...(isLlama && { language: ['de', 'en'] }),
      tags: ['merge', 'amalgam', method.replaceAll('_', '-'), ...(isLlama ? ['not-for-all-audiences'] : [])],
    });
    const { title, paper } = methods[method];
    expect(text).toContain(`# ${markdownText(title)} merge of`);
    if (paper) expect(text).toContain(`](${paper.url})`);
    for (const version of inputs) expect(text).toContain(`\`${version}\``);
    for (const heading of [
      'Recipe',
      'Where it comes from',
      'Licence and attribution',
      'How to make it again',
      'Integrity',
    ]) {
      expect(text).toContain(`\n## ${heading}\n`);
    }
    expect(text.includes('**Built with Llama**')).toBe(isLlama);
    expect(text).not.toContain(api.url);
  });
});
