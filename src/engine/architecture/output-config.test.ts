import { describe, expect, it } from '@jest/globals';
import type { JsonRecord } from './json-record.js';
import { outputConfig } from './output-config.js';

const base: JsonRecord = {
  architectures: ['Tiny', 'Other', 'Third'],
  num_hidden_layers: 3,
  layer_types: ['full', 'sliding', 'full'],
  ffn_multipliers: [1, 2, 3],
  mlp_only_layers: [1],
  eos_token_id: [1, 2, 3],
  suppress_tokens: [7, 8, 9],
  max_window_layers: 3,
};

function stack(config: JsonRecord, ...layers: [JsonRecord, number][]): JsonRecord {
  const origins = layers.map(([origin, layer]) => ({ config: origin, layer }));
  return outputConfig(config, { dtype: 'F32', untied: false, layers: origins });
}

describe('config.json of a stack of layers', () => {
  it('has the layers’ entries of every list with one entry a layer, whatever the list’s name', () => {
    expect(stack(base, [base, 0], [base, 1], [base, 1], [base, 2])).toMatchObject({
      num_hidden_layers: 4,
      layer_types: ['full', 'sliding', 'sliding', 'full'],
      ffn_multipliers: [1, 2, 2, 3],
      max_window_layers: 4,
    });
  });

  it('keeps lists of tokens and class names that happen to be as long as the model is deep', () => {
    const { architectures, eos_token_id, suppress_tokens } = base;
    expect(stack(base, [base, 0], [base, 1])).toMatchObject({ architectures, eos_token_id, suppress_tokens });
  });

  it('renumbers lists of layers', () => {
    expect(stack(base, [base, 1], [base, 0], [base, 1])['mlp_only_layers']).toEqual([0, 2]);
    expect(stack(base, [base, 0], [base, 2])['mlp_only_layers']).toEqual([]);
  });

  it('takes a layer’s entry from the model that the layer comes from', () => {
    const deep: JsonRecord = { num_hidden_layers: 5, layer_types: ['a', 'b', 'c', 'd', 'e'], mlp_only_layers: [4] };
    expect(stack(base, [base, 1], [deep, 4])).toMatchObject({
      layer_types: ['sliding', 'e'],
      ffn_multipliers: [2, null],
      mlp_only_layers: [0, 1],
    });
  });

  it('splices the language model’s part of a multimodal model', () => {
    const both: JsonRecord = { model_type: 'seeing', text_config: base };
    expect(stack(both, [both, 2], [both, 1])).toMatchObject({
      text_config: { num_hidden_layers: 2, layer_types: ['full', 'sliding'] },
    });
  });
});
