import { expect, test } from '@jest/globals';

import { findDeclaredQuantisation, findTensorQuantisation } from './quantisation.js';

test.each([
  ['model.layers.0.mlp.up_proj.weight', 'F8_E4M3', 'fp8'],
  ['model.layers.0.mlp.up_proj.weight_scale_inv', 'F32', 'fp8'],
  ['model.layers.0.mlp.up_proj.qweight', 'I32', 'gptq'],
  ['model.layers.0.mlp.up_proj.weight.absmax', 'U8', 'bitsandbytes'],
  ['model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4', 'U8', 'bitsandbytes'],
  ['model.layers.0.mlp.up_proj.SCB', 'F32', 'bitsandbytes'],
  ['model.layers.0.mlp.up_proj.weight_packed', 'I32', 'compressed-tensors'],
  ['model.layers.0.mlp.experts.gate_up_proj_blocks', 'U8', 'mxfp4'],
  ['model.layers.0.mlp.experts.gate_up_proj_blocks', 'BF16', undefined],
  ['model.layers.0.mlp.up_proj.weight', 'F4', 'fp4'],
  ['model.layers.0.mlp.up_proj.weight', 'BF16', undefined],
  ['model.layers.0.self_attn.q_proj.weight', 'F64', undefined],
  ['model.layers.0.self_attn.rotary_emb.inv_freq', 'F32', undefined],
  ['transformer.wte.weight_norm', 'F32', undefined],
] as const)('%s %s: %s', (name, dtype, method) => {
  expect(findTensorQuantisation(name, dtype)).toBe(method);
});

test.each([
  [undefined, undefined],
  [{}, undefined],
  [{ quantization_config: null }, undefined],
  [{ quantization_config: { quant_method: 'awq' } }, 'awq'],
  [{ quantization_config: { load_in_4bit: true } }, 'unknown'],
  [{ quantization_config: { quant_method: '<script>' } }, 'unknown'],
  [{ compression_config: { quant_method: 'compressed-tensors' } }, 'compressed-tensors'],
  [{ text_config: { quantization_config: { quant_method: 'fp8' } } }, 'fp8'],
])('config.json %j: %s', (config, method) => {
  expect(findDeclaredQuantisation(config)).toBe(method);
});
