import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { assess } from '../licences/assess.js';
import { parseLicencePaths } from '../licences/licence-paths.js';
import { markdownBlock, markdownCode, markdownText } from './markdown.js';
import { type ModelCard, renderModelCard } from './model-card.js';

const card: ModelCard = {
  method: {
    name: 'slerp',
    title: 'SLERP',
    doc: 'Spherical interpolation.',
    paper: { title: 'Animating rotation', url: 'https://doi.org/10.1145/325165.325242' },
  },
  inputs: [
    { name: 'team/base@1', role: 'base', repository: 'team/base', digest: 'a'.repeat(64), licence: 'apache-2.0' },
    { name: 'team/expert@2', role: 'model', repository: 'team/expert', digest: 'b'.repeat(64), licence: 'apache-2.0' },
  ],
  recipe: 'merge_method: slerp\nbase_model: team/base@1\n',
  dtype: 'BF16',
  parameterCount: 449376,
  architecture: 'LlamaForCausalLM',
  seed: 7,
  shardBytes: 1e9,
  engineVersion: '1',
  tensors: { merged: 39, copied: 0 },
  files: [{ path: 'model.safetensors', bytes: 898752, sha256: 'c'.repeat(64) }],
  lineage: 'flowchart TB\n',
  licence: assess(parseLicencePaths('apache-2.0')),
  languages: ['en'],
};

const frontMatterOf = (text: string): Record<string, unknown> =>
  load(/^---\n([\s\S]*?)\n---\n/.exec(text)?.[1] ?? '') as Record<string, unknown>;

describe('the model card', () => {
  test('promises no more of directories than they keep', () => {
    const local = { ...card, inputs: card.inputs.map(({ name, role }) => ({ name, role })) };
    expect(renderModelCard(local)).not.toMatch(/pinned|Manifest|curl|pulled/);
    expect(renderModelCard(card)).toMatch(/Manifest[^]*pinned[^]*curl[^]*pulled/);
  });

  test('its front matter is what the Hub reads', () => {
    expect(frontMatterOf(renderModelCard(card))).toEqual({
      base_model: ['team/base', 'team/expert'],
      base_model_relation: 'merge',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      language: ['en'],
      tags: ['merge', 'amalgam', 'slerp'],
    });
  });

  test('it names inputs, method, paper, recipe, seed and digests', () => {
    const text = renderModelCard(card);
    for (const part of [
      '# SLERP merge of team/base@1 and team/expert@2',
      '`team/expert@2`',
      'b'.repeat(64),
      '[Animating rotation](https://doi.org/10.1145/325165.325242)',
      '```yaml\nmerge_method: slerp',
      '| Seed | 7 |',
      '| `model.safetensors` | 898,752 | `' + 'c'.repeat(64),
      '449,376 parameters in BF16',
      'mergekit-yaml recipe.yaml ./merged --random-seed 7 --out-shard-size 1000000000',
      '```mermaid\nflowchart TB\n```',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('a model of the Hub has its name there, pinned', () => {
    const source = 'hf:acme/expert@0123456789abcdef0123456789abcdef01234567';
    const inputs = [
      { ...card.inputs[0], name: 'hf/acme--expert@1', role: 'base' as const, repository: 'acme/expert', source },
    ];
    const text = renderModelCard({ ...card, inputs });
    expect(frontMatterOf(text)['base_model']).toEqual(['acme/expert']);
    expect(text).toContain(`\`${source}\``);
    expect(renderModelCard(card)).not.toContain('On the Hub');
  });

  test('the same input gives the same bytes', () => {
    expect(renderModelCard(card)).toBe(renderModelCard(structuredClone(card)));
  });

  test.each([
    ['llama3.1+apache-2.0', { license: 'llama3.1' }, '**Built with Llama**'],
    [
      'llama3.1+gemma',
      { license: 'other', license_name: 'gemma-and-llama3.1', license_link: 'LICENSE' },
      'Publishing it needs the approval of a person.',
    ],
    ['unknown+mit', {}, 'Which licence the whole is under is not known yet.'],
    ['llama3+mit', {}, 'do not let this model be published'],
  ])('of %s it carries the licence of the whole', (inputs, fields, sentence) => {
    const text = renderModelCard({ ...card, licence: assess(parseLicencePaths(inputs)) });
    const { license, license_name, license_link } = frontMatterOf(text);
    expect(JSON.parse(JSON.stringify({ license, license_name, license_link }))).toEqual(fields);
    expect(text).toContain(sentence);
  });

  test('where a model is kept stays private', () => {
    const text = renderModelCard({
      ...card,
      inputs: [
        { name: '/data/team-x/secret/expert', role: 'base', repository: '/data/team-x/secret/expert' },
        { name: 's3://bucket-y/prefix', role: 'model', repository: 's3://bucket-y/prefix' },
      ],
      recipe: [
        'base_model: /data/team-x/secret/expert',
        'models: [{model: "s3://bucket-y/prefix"}, {model: ~/private/m}, {model: C:\\Users\\me\\m}, {model: hf:org/name@main}]',
        'a: http://registry.internal:8080/team/m',
        'b: ./models/near',
      ].join('\n'),
      warnings: ['/data/team-x/secret/expert: odd'],
    });
    expect(text).not.toMatch(/team-x|secret|bucket-y|private\/|registry\.internal|Users/);
    expect(text).toContain('base_model: expert');
    for (const kept of ['hf:org/name@main', './models/near', 'https://doi.org/10.1145/325165.325242']) {
      expect(text).toContain(kept);
    }
  });

  test('a directory without a repository name does not reach the front matter', () => {
    const text = renderModelCard({ ...card, inputs: [{ name: 'local', role: 'model' }] });
    expect(frontMatterOf(text)).not.toHaveProperty('base_model');
    expect(text).toContain('# SLERP merge of local\n');
  });

  test('hostile names stay names: in YAML, tables, headings and fences', () => {
    const name = 'x\n---\nlicense: mit | [a](javascript:b) <img src=x onerror=alert(1)> `` ![i](j)';
    const text = renderModelCard({
      ...card,
      inputs: [{ name, role: 'base', repository: name, licence: name, digest: name }],
      recipe: 'a: |\n  ```\n  # heading\n  ```\n',
      warnings: [name],
    });
    expect(frontMatterOf(text)).toEqual({
      base_model: [name],
      base_model_relation: 'merge',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      language: ['en'],
      tags: ['merge', 'amalgam', 'slerp'],
    });
    const body = text.replace(/^---\n[\s\S]*?\n---\n/, '');
    const outsideCode = body.replace(/(`{3,})[\s\S]*?\n\1/g, '').replace(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
    expect(outsideCode).not.toMatch(/<img|\]\(javascript|^license:/m);
    expect(body).toContain('````yaml\na: |\n  ```\n');
  });
});

describe('markdown of untrusted text', () => {
  test.each([
    ['a*b_c', 'a\\*b\\_c'],
    ['<b>', '&#60;b&#62;'],
    ['a|b', 'a&#124;b'],
    ['two\r\nlines', 'two lines'],
    ['back\\slash', 'back\\\\slash'],
    ['https://x', 'https&#58;//x'],
    ['apache-2.0', 'apache-2.0'],
  ])('%j becomes %j', (text, escaped) => {
    expect(markdownText(text)).toBe(escaped);
  });

  test('code spans and blocks outlive backticks', () => {
    expect(markdownCode('a``b')).toBe('```a``b```');
    expect(markdownCode('`')).toBe('`` ` ``');
    expect(markdownBlock('yaml', '```')).toBe('````yaml\n```\n````');
  });
});
