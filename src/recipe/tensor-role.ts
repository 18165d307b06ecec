/** What a tensor is for, as far as its name says. */
export const tensorRoles = ['embed', 'attention', 'mlp', 'norm', 'head'] as const;
export type TensorRole = (typeof tensorRoles)[number] | 'other';

/** A layer's index is the first number that is a whole segment of the name, as in `model.layers.12.mlp.up_proj.weight`. */
const LAYER = /^(.*?)\.(\d{1,9})\.(.+)$/;

const HEAD = /(^|\.)(lm_head|embed_out|output|score|classifier|vocab_projector|cls)\./;
const EMBED = /(^|\.)(embed\w*|tok_embeddings|word_embeddings|wte|wpe|shared)\./;
const NORM = /(^|\.|_)(norm|ln_f|layernorm|layer_norm|final_layer_norm|ln)\w*\./i;
const ATTENTION = /attn|attention|(^|\.)(q|k|v|o|qkv|out)_proj\./i;
const MLP = /mlp|ffn|feed_?forward|moe|expert|dense|(^|\.)(fc_?\w*|intermediate|output|w[123]|(gate|up|down)_proj)\./i;

/** The layer that a name puts its tensor in, with what stands before and after the index; undefined outside the layers. */
export function layerOf(name: string): { layer: number; stack: string; rest: string } | undefined {
  const match = LAYER.exec(name);
  if (match === null) return undefined;
  const [, stack = '', digits = '', rest = ''] = match;
  return { layer: Number(digits), stack, rest };
}

/**
 * Embedding and head lie outside the layers, attention and MLP within, norms in both places; biases go with their weights.
 * @param place for who has looked already
 */
export function tensorRole(name: string, place = layerOf(name)): TensorRole {
  if (place === undefined) {
    if (HEAD.test(name)) return 'head';
    if (EMBED.test(name)) return 'embed';
    return NORM.test(name) ? 'norm' : 'other';
  }
  if (NORM.test(place.rest)) return 'norm';
  if (ATTENTION.test(place.rest)) return 'attention';
  return MLP.test(place.rest) ? 'mlp' : 'other';
}
