import { type Dtype, torchName } from '../checkpoint/dtype.js';
import { isRecord, type JsonRecord } from './json-record.js';
import { depthOf, spliceLayers } from './layer-lists.js';

export interface OutputShape {
  dtype: Dtype;
  /** For every layer of the result the input's layer whose configuration holds for it; absent: unchanged. */
  layers?: readonly { config: JsonRecord; layer: number }[];
  /** The result has a head of its own although the base model's was tied. */
  untied: boolean;
}

/**
 * The result's config.json: the base model's, with the dtype, the number of layers and every per-layer list (such as
 * Qwen2's `layer_types`) following what was merged.
 */
export function outputConfig(base: JsonRecord, { dtype, layers, untied }: OutputShape): JsonRecord {
  const config = structuredClone(base);
  const name = torchName(dtype);
  if ('torch_dtype' in config) config['torch_dtype'] = name;
  if ('dtype' in config || !('torch_dtype' in config)) config['dtype'] = name;
  const text = textConfig(config);
  if (layers !== undefined) {
    spliceLayers(config, layers);
    if (text !== config) {
      spliceLayers(
        text,
        layers.map((origin) => ({ ...origin, config: textConfig(origin.config) })),
      );
    }
  }
  if (untied) {
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
  return depthOf(config) ?? depthOf(textConfig(config));
}
