import { describe, expect, it } from '@jest/globals';
import { type Selector, selects, selectsEverything } from './selectors.js';
import { tensorRole } from './tensor-role.js';

const query = 'model.layers.12.self_attn.q_proj.weight';

describe('a selector', () => {
  it.each<[string, Selector, boolean]>([
    ['nothing', {}, true],
    ['an open filter', { filter: '*' }, true],
    ['part of the name', { filter: 'q_proj' }, true],
    ['no part of the name', { filter: 'Q_PROJ' }, false],
    ['a glob of the whole name', { glob: 'model.layers.1?.*.weight' }, true],
    ['a glob of a part', { glob: 'layers.12.*' }, false],
    ['a glob’s dot, which is only a dot', { glob: 'modelxlayers*' }, false],
    ['a pattern found anywhere', { regex: String.raw`\.1[0-9]\.self_attn\.[qk]_proj` }, true],
    ['a pattern with anchors', { regex: '^layers' }, false],
    ['the layers that begin with it', { layers: [12, 13] }, true],
    ['the layers that end before it', { layers: [0, 12] }, false],
    ['its role', { role: 'attention' }, true],
    ['two selectors of which one fails', { role: 'attention', layers: [0, 4] }, false],
    ['two selectors that both take it', { role: 'attention', layers: [8, 16] }, true],
  ])('of %s', (_what, selector, taken) => {
    expect(selects(selector, query)).toBe(taken);
  });

  it('of layers leaves out what lies outside them', () => {
    expect(selects({ layers: [0, 100] }, 'model.embed_tokens.weight')).toBe(false);
  });

  it('is open only when nothing narrows it', () => {
    expect(selectsEverything({ filter: '*' })).toBe(true);
    expect(selectsEverything({ filter: '*', role: 'mlp' })).toBe(false);
  });

  it('takes linear time whatever the pattern', () => {
    const before = performance.now();
    expect(selects({ regex: '(a+)+$' }, `${'a'.repeat(20_000)}!`)).toBe(false);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe('the role of a tensor', () => {
  it.each([
    ['model.embed_tokens.weight', 'embed'],
    ['transformer.wte.weight', 'embed'],
    ['model.language_model.embed_tokens.weight', 'embed'],
    ['lm_head.weight', 'head'],
    ['model.norm.weight', 'norm'],
    ['transformer.ln_f.bias', 'norm'],
    [query, 'attention'],
    ['transformer.h.0.attn.c_attn.bias', 'attention'],
    ['model.layers.0.input_layernorm.weight', 'norm'],
    ['model.layers.0.self_attn.q_norm.weight', 'norm'],
    ['model.layers.0.post_attention_layernorm.weight', 'norm'],
    ['transformer.h.0.ln_1.weight', 'norm'],
    ['model.layers.0.mlp.gate_proj.weight', 'mlp'],
    ['model.layers.3.block_sparse_moe.experts.7.w1.weight', 'mlp'],
    ['model.layers.3.block_sparse_moe.gate.weight', 'mlp'],
    ['transformer.h.0.mlp.c_fc.weight', 'mlp'],
    ['bert.encoder.layer.0.attention.output.dense.weight', 'attention'],
    ['bert.encoder.layer.0.output.dense.weight', 'mlp'],
    ['temperature', 'other'],
  ])('%s is %s', (name, role) => {
    expect(tensorRole(name)).toBe(role);
  });
});
