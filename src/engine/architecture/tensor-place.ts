/** What a tensor is for: decides which slice's parameters hold for one that lies in no layer. */
export type TensorRole = 'embed' | 'norm' | 'head' | 'other';

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

/** A layer's index is the first number that is a whole segment of the name, as in `model.layers.12.mlp.up_proj.weight`. */
const LAYER = /^(.*?)\.(\d{1,9})\.(.+)$/;

const HEAD = /(^|\.)(lm_head|embed_out|output|score|classifier|vocab_projector|cls)\./;
const EMBED = /(^|\.)(embed\w*|tok_embeddings|word_embeddings|wte|wpe|shared)\./;
const NORM = /(^|\.|_)(norm|ln_f|layernorm|layer_norm|final_layer_norm|ln)\w*\./i;

export function placeOf(name: string): TensorPlace {
  const match = LAYER.exec(name);
  if (match !== null) {
    const [, stack = '', digits = '', rest = ''] = match;
    return { name, layer: Number(digits), stack, rest, role: 'other' };
  }
  if (HEAD.test(name)) return { name, role: 'head' };
  if (EMBED.test(name)) return { name, role: 'embed' };
  if (NORM.test(name)) return { name, role: 'norm' };
  return { name, role: 'other' };
}

/** Whether a loose tensor comes after the layers: it then follows the last slice, as in MergeKit, else the first. */
export function isAfterLayers(place: TensorPlace): boolean {
  return place.role === 'norm' || place.role === 'head';
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
