import type { JsonRecord, JsonValue } from './json-record.js';

/** The keys under which architectures keep their number of layers. */
const DEPTH_KEYS = ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers', 'num_decoder_layers'] as const;

/** Lists of layer indexes, such as Qwen2-MoE's `mlp_only_layers`: what they hold of a layer moves with the layer. */
const INDEX_LIST =
  /^(mlp_only_layers|cross_attention_layers|attention_layers_idx|full_attn_idxs|hybrid_layer_ids|attn_layer_indices|\w+_layer_(idx|idxs|ids|indices))$/;

/** Lists that are about something else, whatever their length: a shallow model has as many layers as they have entries. */
const OTHER_LIST =
  /^(architectures|keys_to_ignore_at_inference|time_step_limit|image_grid_pinpoints|\w+_(ids?|tokens))$/;

/** A layer of one of the inputs. */
export interface LayerOrigin {
  /** The input's configuration: of a multimodal model, the part that has the layers. */
  config: JsonRecord;
  layer: number;
}

/** Number of layers that this part of a configuration names. */
export function depthOf(part: JsonRecord): number | undefined {
  const key = depthKey(part);
  return key === undefined ? undefined : (part[key] as number);
}

/**
 * Makes the configuration follow a change of depth, in place: the number of layers, every list with one entry a layer
 * (`layer_types` of Qwen2, `block_configs`, `ffn_multipliers`...), and every list of layers.
 * @param origins one for each layer of the result
 */
export function spliceLayers(part: JsonRecord, origins: readonly LayerOrigin[]): void {
  const key = depthKey(part);
  if (key === undefined) return;
  const before = part[key] as number;
  for (const [name, value] of Object.entries(part)) {
    if (isIndexList(name, value)) {
      part[name] = origins.flatMap(({ config, layer }, at) =>
        indexesOf(config, name, value).includes(layer) ? [at] : [],
      );
    } else if (isPerLayer(name, value, before)) {
      part[name] = origins.map(({ config, layer }) => entryOf(config, name, layer) ?? value[layer] ?? null);
    }
  }
  // Qwen2's: as deep as the model means that no layer has a window.
  if (part['max_window_layers'] === before) part['max_window_layers'] = origins.length;
  part[key] = origins.length;
}

function depthKey(part: JsonRecord): (typeof DEPTH_KEYS)[number] | undefined {
  return DEPTH_KEYS.find((candidate) => typeof part[candidate] === 'number');
}

function isIndexList(name: string, value: JsonValue | undefined): value is number[] {
  return INDEX_LIST.test(name) && Array.isArray(value) && value.every((entry) => typeof entry === 'number');
}

function indexesOf(config: JsonRecord, name: string, fallback: number[]): number[] {
  const own = config[name];
  return isIndexList(name, own) ? own : fallback;
}

function isPerLayer(name: string, value: JsonValue | undefined, depth: number | undefined): value is JsonValue[] {
  return Array.isArray(value) && value.length === depth && !OTHER_LIST.test(name);
}

/** What an input's own configuration says of its layer. */
function entryOf(config: JsonRecord, name: string, layer: number): JsonValue | undefined {
  const own = config[name];
  return isPerLayer(name, own, depthOf(config)) ? own[layer] : undefined;
}
