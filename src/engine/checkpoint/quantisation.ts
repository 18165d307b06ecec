import { isObject } from './config.js';
import type { Dtype } from './dtype.js';

/** What quantisers put beside, or in the place of, a weight. The stored numbers are codes: averaging them gives noise. */
const companions: readonly [suffix: RegExp, method: string][] = [
  [/[._]scale_inv$/, 'fp8'],
  [/\.(?:qweight|qzeros|g_idx)$/, 'gptq'],
  [/\.weight\.(?:absmax|quant_map|quant_state\.)/, 'bitsandbytes'],
  [/\.(?:SCB|weight_format)$/, 'bitsandbytes'],
  [/\.(?:weight_packed|weight_shape)$/, 'compressed-tensors'],
];
/** Asked for each tensor: one quick look before the six. */
const anyCompanion = /_inv$|\.q(?:weight|zeros)$|\.g_idx$|\.weight\.|\.SCB$|\.weight_/;

/** By one tensor, the method that quantised its checkpoint. MergeKit merges such checkpoints without a word, into garbage. */
export function findTensorQuantisation(name: string, dtype: Dtype): string | undefined {
  if (dtype.startsWith('F8_')) return 'fp8';
  if (dtype === 'F4') return 'fp4';
  if (dtype.startsWith('F6_')) return 'fp6';
  // OpenAI's mxfp4: the names are common words, so only the packed type counts.
  if (dtype === 'U8' && /_(?:blocks|scales)$/.test(name)) return 'mxfp4';
  if (!anyCompanion.test(name)) return undefined;
  return companions.find(([suffix]) => suffix.test(name))?.[1];
}

/** The method that config.json declares; `unknown` when it declares one without its name. */
export function findDeclaredQuantisation(config: unknown): string | undefined {
  if (!isObject(config)) return undefined;
  const quantisation = config['quantization_config'] ?? config['compression_config'];
  if (!isObject(quantisation)) return findDeclaredQuantisation(config['text_config']);
  const method = quantisation['quant_method'];
  return typeof method === 'string' && /^[\w-]{1,64}$/.test(method) ? method : 'unknown';
}
