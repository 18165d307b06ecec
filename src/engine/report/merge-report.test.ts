import { describe, expect, test } from '@jest/globals';
import { formatReport, mergeReport } from './merge-report.js';
import { reportPlace } from './report-role.js';
import type { TensorReport } from './tensor-report.js';

/** Two task vectors of the inputs 1 and 2, with these dot products over `seen` of 1,000 elements. */
function tensor(name: string, gram: (number | null)[], seen = 1_000): TensorReport {
  return {
    ...{ tensor: name, elements: 1_000, nan: 0, infinite: 0 },
    deltas: {
      ...{ reference: 'base', models: [1, 2], seen, gram },
      ...{ contested: seen / 2, conflicting: seen / 8, nonZero: [seen, seen / 2], kept: [seen / 4, seen / 2] },
    },
  };
}

const names = ['base', 'a', 'b'];

describe('the report of a merge', () => {
  test('gives norms, cosines and shares of each tensor', () => {
    const report = mergeReport('full', names, [tensor('model.norm.weight', [9, 6, 16])]);
    expect(report).toMatchObject({ reference: 'base', estimate: false, models: ['a', 'b'], pairs: [['a', 'b']] });
    expect(report.tensors).toEqual([
      {
        ...{ tensor: 'model.norm.weight', seen: 1_000, elements: 1_000, nan: 0, infinite: 0 },
        ...{ norms: [3, 4], cosines: [0.5], signConflicts: 0.25, kept: [0.25, 1] },
      },
    ]);
  });

  test('lets a sample stand for its whole tensor', () => {
    // A tenth of one tensor, and all of another one: sums of squares 10 x 0.9 and 16.
    const report = mergeReport('sampled', names, [
      tensor('model.layers.3.mlp.up_proj.weight', [0.9, 0, 1], 100),
      tensor('model.layers.3.mlp.down_proj.weight', [16, 0, 1]),
    ]);
    expect(report.estimate).toBe(true);
    expect(report.groups).toMatchObject([{ layer: 3, role: 'mlp', tensors: 2, elements: 2_000, norms: [5, 3.31662] }]);
  });

  test('counts copies, and says of them nothing that it does not know', () => {
    const copy = { tensor: 'lm_head.weight', elements: 8, nan: 1, infinite: 2 };
    const { total, reference, models } = mergeReport('sampled', names, [copy]);
    expect({ total, reference, models }).toEqual({
      total: { elements: 8, nan: 1, infinite: 2, norms: [], cosines: [], signConflicts: null, kept: [] },
      reference: null,
      models: [],
    });
  });

  test('has null where a NaN is in the way, and stays JSON', () => {
    const report = mergeReport('full', names, [tensor('a.weight', [null, 1, 4])]);
    expect(report.total).toMatchObject({ norms: [null, 2], cosines: [null] });
    const text = formatReport(report);
    expect(JSON.parse(text)).toEqual(report);
    expect(text.split('\n').filter((line) => line.includes('"a.weight"'))).toHaveLength(1);
  });

  test('goes from what lies outside the layers to the last layer', () => {
    const all = ['lm_head.weight', 'h.10.mlp.c_fc.weight', 'h.2.ln_1.weight', 'h.2.attn.c_attn.weight', 'wte.weight'];
    const { groups } = mergeReport(
      'full',
      names,
      all.map((name) => tensor(name, [1, 0, 1])),
    );
    expect(groups.map(({ layer, role }) => [layer, role])).toEqual([
      ...[
        [null, 'embed'],
        [null, 'head'],
        [2, 'attention'],
        [2, 'norm'],
        [10, 'mlp'],
      ],
    ]);
  });
});

describe('the role of a tensor', () => {
  test.each([
    ['model.embed_tokens.weight', null, 'embed'],
    ['model.layers.0.self_attn.q_proj.weight', 0, 'attention'],
    ['model.layers.7.self_attn.q_norm.weight', 7, 'norm'],
    ['model.layers.12.post_attention_layernorm.weight', 12, 'norm'],
    ['model.layers.1.mlp.experts.3.w1.weight', 1, 'mlp'],
    ['model.layers.1.block_sparse_moe.gate.weight', 1, 'mlp'],
    ['transformer.h.4.ln_2.bias', 4, 'norm'],
    ['transformer.h.4.mlp.c_proj.weight', 4, 'mlp'],
    ['transformer.h.4.attn.c_proj.weight', 4, 'attention'],
    ['bert.encoder.layer.5.intermediate.dense.weight', 5, 'mlp'],
    ['bert.encoder.layer.5.attention.output.LayerNorm.weight', 5, 'norm'],
    ['gpt_neox.layers.2.attention.query_key_value.bias', 2, 'attention'],
    ['backbone.layers.9.mixer.in_proj.weight', 9, 'attention'],
    ['model.norm.weight', null, 'norm'],
    ['lm_head.weight', null, 'head'],
    ['something', null, 'other'],
  ])('%s', (name, layer, role) => {
    expect(reportPlace(name)).toEqual({ layer, role });
  });
});
