import { isObject } from './config.js';
import type { Dtype } from './dtype.js';
import type { JsonObject } from './json-scanner.js';

/** What quantisers put beside, or in the place of, a weight. The stored numbers are codes: averaging them gives noise. */
const companions: readonly [suffix: RegExp, method: string][] = [
  [/(?:\.|_)(?:weight_scale_inv|scale_inv)$/, 'fp8'],
  [/\.(?:qweight|qzeros|g_idx)$/, 'gptq'],
  [/\.weight\.(?:absmax|quant_map|quant_state\.)/, 'bitsandbytes'],
  [/\.(?:SCB|weight_format)$/, 'bitsandbytes'],
  [/\.(?:weight_packed|weight_shape)$/, 'compressed-tensors'],
  [/_(?:blocks|scales)$/, 'mxfp4'],
];

/**
 * The method by which a checkpoint's weights were quantised, or undefined when they are numbers. From config.json, or
 * else from the tensors: MergeKit merges such checkpoints without a word and writes garbage.
 */
export function findQuantisation(
  config: JsonObject | undefined,
  tensors: Iterable<{ name: string; dtype: Dtype }>,
): string | undefined {
  const declared = config && (findDeclared(config) ?? findDeclared(config['text_config']));
  if (declared !== undefined) return declared;
  for (const { name, dtype } of tensors) {
    if (/^F[468]/.test(dtype) && dtype !== 'F64') return dtype.startsWith('F8') ? 'fp8' : 'fp4';
    const companion = companions.find(([suffix]) => suffix.test(name));
    // mxfp4's two names are common words, so only its packed type counts.
    if (companion && (companion[1] !== 'mxfp4' || dtype === 'U8')) return companion[1];
  }
  return undefined;
}

function findDeclared(config: unknown): string | undefined {
  if (!isObject(config)) return undefined;
  const quantisation = config['quantization_config'] ?? config['compression_config'];
  if (!isObject(quantisation)) return undefined;
  const method = quantisation['quant_method'];
  return typeof method === 'string' && /^[\w-]{1,64}$/.test(method) ? method : 'unknown';
}
