import { type Dtype, torchName } from '../checkpoint/dtype.js';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonRecord;
export type JsonRecord = { [key: string]: JsonValue };

/** The keys under which architectures keep their number of layers. */
const LAYER_COUNT_KEYS = ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers', 'num_decoder_layers'] as const;

export interface OutputShape {
  dtype: Dtype;
  /** For every layer of the result, the layer of the base model whose configuration holds for it; absent: unchanged. */
  layers?: readonly number[];
  /** The result has a head of its own although the base model's was tied. */
  untied: boolean;
}

/**
 * The result's config.json: the base model's, with the dtype, the number of layers and every per-layer list (such as
 * Qwen2's `layer_types`) following what was merged.
 */
export function outputConfig(base: JsonRecord, shape: OutputShape): JsonRecord {
  const config = structuredClone(base);
  const name = torchName(shape.dtype);
  if ('torch_dtype' in config) config['torch_dtype'] = name;
  if ('dtype' in config || !('torch_dtype' in config)) config['dtype'] = name;
  const text = textConfig(config);
  if (shape.layers !== undefined) {
    for (const part of text === config ? [config] : [config, text]) spliceLayers(part, shape.layers);
  }
  if (shape.untied) {
    config['tie_word_embeddings'] = false;
    if ('tie_word_embeddings' in text) text['tie_word_embeddings'] = false;
  }
  return config;
}

/** Multimodal models keep the language model's settings one level down. */
function textConfig(config: JsonRecord): JsonRecord {
  const text = config['text_config'];
  return isRecord(text) ? text : config;
}

/** Number of layers by config.json, or undefined where it does not say. */
export function layerCount(config: JsonRecord): number | undefined {
  for (const part of [config, textConfig(config)]) {
    const key = LAYER_COUNT_KEYS.find((candidate) => typeof part[candidate] === 'number');
    if (key !== undefined) return part[key] as number;
  }
  return undefined;
}

function spliceLayers(part: JsonRecord, layers: readonly number[]): void {
  const key = LAYER_COUNT_KEYS.find((candidate) => typeof part[candidate] === 'number');
  if (key === undefined) return;
  const before = part[key] as number;
  for (const [name, value] of Object.entries(part)) {
    if (!Array.isArray(value) || value.length !== before || !isPerLayer(name)) continue;
    part[name] = layers.map((layer) => value[layer] ?? null);
  }
  if (typeof part['max_window_layers'] === 'number' && part['max_window_layers'] === before) {
    part['max_window_layers'] = layers.length;
  }
  part[key] = layers.length;
}

/** A list as long as the model is deep is per layer unless its name says otherwise (a 3-layer model has 3-item lists too). */
function isPerLayer(name: string): boolean {
  return (
    /layer|block|expert|head|rope|window|sliding|type|intermediate|pattern/i.test(name) && name !== 'architectures'
  );
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
