import { placeOf } from '../architecture/tensor-place.js';

/** What a tensor does, coarsely enough that every architecture has the same few kinds. */
export const reportRoles = ['embed', 'attention', 'mlp', 'norm', 'head', 'other'] as const;

export type ReportRole = (typeof reportRoles)[number];

// Norms first: one may be called `post_attention_layernorm` or `self_attn.q_norm`.
const inLayer: [RegExp, ReportRole][] = [
  [/(^|[._])(\w*norm\w*|ln_?\d*|ln_\w+)(\.|$)/i, 'norm'],
  [/attn|attention|mixer|mamba|rnn|(^|\.)[qkvo]_proj/i, 'attention'],
  [
    /mlp|ffn|feed_?forward|expert|moe|(^|\.)(fc\d?|gate|up|down|intermediate|output|dense|w[123])(_proj)?(\.|$)/i,
    'mlp',
  ],
];

export interface ReportPlace {
  /** Null outside the layers. */
  layer: number | null;
  role: ReportRole;
}

/** A tensor's row and column in the report, by its name. */
export function reportPlace(name: string): ReportPlace {
  const { layer, rest, role } = placeOf(name);
  if (layer === undefined) return { layer: null, role };
  return { layer, role: inLayer.find(([pattern]) => pattern.test(rest ?? ''))?.[1] ?? 'other' };
}
