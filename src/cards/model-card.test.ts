import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
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
      license: 'apache-2.0',
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

  test('the same input gives the same bytes', () => {
    expect(renderModelCard(card)).toBe(renderModelCard(structuredClone(card)));
  });

  test('a licence is left out unless all inputs agree', () => {
    const [base, expert] = card.inputs;
    const other = { ...card, inputs: [base!, { ...expert!, licence: 'llama3' }] };
    expect(frontMatterOf(renderModelCard(other))).not.toHaveProperty('license');
    const { licence: _licence, ...undeclared } = expert!;
    expect(frontMatterOf(renderModelCard({ ...card, inputs: [base!, undeclared] }))).not.toHaveProperty('license');
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
      license: name,
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
