import { layerOf, tensorRole, type TensorRole } from '../../recipe/index.js';

/** A tensor's place in its model, read off its name. */
export interface TensorPlace {
  name: string;
  /** Index of the layer, absent outside the layers. */
  layer?: number;
  /** Name of the stack that the layer belongs to: what stands before the index. */
  stack?: string;
  /** What stands after the index. */
  rest?: string;
  role: TensorRole;
}

export function placeOf(name: string): TensorPlace {
  const place = layerOf(name);
  return { name, ...place, role: tensorRole(name, place) };
}

/** Whether a loose tensor comes after the layers: it then follows the last slice, as in MergeKit, else the first. */
export function isAfterLayers(place: TensorPlace): boolean {
  return place.layer === undefined && (place.role === 'norm' || place.role === 'head');
}

export function withLayer(place: TensorPlace, layer: number): string {
  return place.layer === undefined ? place.name : `${place.stack}.${layer}.${place.rest}`;
}

/** Buffers that old checkpoints carry and every loader computes again; they are dropped, and the plan says so. */
export function isRecomputedBuffer(name: string): boolean {
  return /\.rotary_emb\.inv_freq$/.test(name);
}

/**
 * Names under which a checkpoint with tied embeddings holds what another one calls `name`. A tied model stores one
 * matrix for the input embedding and the output head.
 */
export function tiedNames(name: string): string[] {
  const prefix = name.replace(/lm_head\.weight$/, '');
  if (prefix === name) return [];
  return [
    `${prefix}model.embed_tokens.weight`,
    `${prefix}transformer.wte.weight`,
    `${prefix}model.tok_embeddings.weight`,
    `${prefix}gpt_neox.embed_in.weight`,
    `${prefix}backbone.embeddings.weight`,
    `${prefix}model.language_model.embed_tokens.weight`,
  ];
}
