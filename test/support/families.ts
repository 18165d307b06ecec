/** Sizes of a tiny model. */
export interface ModelSizes {
  layers: number;
  hidden: number;
  heads: number;
  keyValueHeads: number;
  feedForward: number;
  vocabulary: number;
}

export interface NamedShape {
  name: string;
  shape: number[];
}

/** A kind of model: how its tensors are named and what its config.json says. */
export interface Family {
  tensors(sizes: ModelSizes, tied: boolean): NamedShape[];
  /** undefined: the checkpoint has no config.json. */
  config(sizes: ModelSizes, tied: boolean, dtype: string): Record<string, unknown> | undefined;
}

function decoderTensors(sizes: ModelSizes, tied: boolean, hasBias: boolean): NamedShape[] {
  const { hidden, heads, keyValueHeads, feedForward, vocabulary, layers } = sizes;
  const head = hidden / heads;
  const tensors: NamedShape[] = [{ name: 'model.embed_tokens.weight', shape: [vocabulary, hidden] }];
  for (let layer = 0; layer < layers; layer++) {
    const add = (name: string, ...shape: number[]): void => {
      tensors.push({ name: `model.layers.${layer}.${name}`, shape });
    };
    add('input_layernorm.weight', hidden);
    for (const [name, rows] of [
      ['q_proj', heads * head],
      ['k_proj', keyValueHeads * head],
      ['v_proj', keyValueHeads * head],
    ] as const) {
      add(`self_attn.${name}.weight`, rows, hidden);
      if (hasBias) add(`self_attn.${name}.bias`, rows);
    }
    add('self_attn.o_proj.weight', hidden, heads * head);
    add('post_attention_layernorm.weight', hidden);
    add('mlp.gate_proj.weight', feedForward, hidden);
    add('mlp.up_proj.weight', feedForward, hidden);
    add('mlp.down_proj.weight', hidden, feedForward);
  }
  tensors.push({ name: 'model.norm.weight', shape: [hidden] });
  if (!tied) tensors.push({ name: 'lm_head.weight', shape: [vocabulary, hidden] });
  return tensors;
}

function decoderConfig(architecture: string, modelType: string): Family['config'] {
  return (sizes, tied, dtype) => ({
    architectures: [architecture],
    model_type: modelType,
    hidden_size: sizes.hidden,
    intermediate_size: sizes.feedForward,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.keyValueHeads,
    vocab_size: sizes.vocabulary,
    max_position_embeddings: 64,
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    bos_token_id: 1,
    eos_token_id: 2,
    tie_word_embeddings: tied,
    dtype,
  });
}

const gpt2: Family = {
  tensors({ hidden, vocabulary, layers }) {
    const tensors: NamedShape[] = [
      { name: 'transformer.wte.weight', shape: [vocabulary, hidden] },
      { name: 'transformer.wpe.weight', shape: [64, hidden] },
    ];
    for (let layer = 0; layer < layers; layer++) {
      for (const [name, ...shape] of [
        ['ln_1.weight', hidden],
        ['ln_1.bias', hidden],
        ['attn.c_attn.weight', hidden, 3 * hidden],
        ['attn.c_attn.bias', 3 * hidden],
        ['attn.c_proj.weight', hidden, hidden],
        ['attn.c_proj.bias', hidden],
        ['ln_2.weight', hidden],
        ['ln_2.bias', hidden],
        ['mlp.c_fc.weight', hidden, 4 * hidden],
        ['mlp.c_fc.bias', 4 * hidden],
        ['mlp.c_proj.weight', 4 * hidden, hidden],
        ['mlp.c_proj.bias', hidden],
      ] as [string, ...number[]][]) {
        tensors.push({ name: `transformer.h.${layer}.${name}`, shape });
      }
    }
    tensors.push(
      { name: 'transformer.ln_f.weight', shape: [hidden] },
      { name: 'transformer.ln_f.bias', shape: [hidden] },
    );
    return tensors;
  },
  config: ({ hidden, heads, vocabulary, layers }, _tied, dtype) => ({
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    n_embd: hidden,
    n_head: heads,
    n_layer: layers,
    n_positions: 64,
    vocab_size: vocabulary,
    bos_token_id: 1,
    eos_token_id: 2,
    tie_word_embeddings: true,
    dtype,
  }),
};

/** As transformers writes them: full attention and a sliding window by turns, listed layer by layer. */
function layerTypes({ layers }: ModelSizes): Record<string, unknown> {
  const types = Array.from({ length: layers }, (_, layer) =>
    layer % 2 === 0 ? 'sliding_attention' : 'full_attention',
  );
  return { layer_types: types, sliding_window: 8 };
}

const gemma2: Family = {
  tensors: (sizes, tied) =>
    decoderTensors(sizes, tied, false).flatMap((tensor) =>
      tensor.name.endsWith('.post_attention_layernorm.weight')
        ? [tensor, ...['pre', 'post'].map((when) => ({ ...tensor, name: besides(tensor.name, when) }))]
        : [tensor],
    ),
  config: (sizes, tied, dtype) => ({
    ...decoderConfig('Gemma2ForCausalLM', 'gemma2')(sizes, tied, dtype),
    ...layerTypes(sizes),
    head_dim: sizes.hidden / sizes.heads,
    query_pre_attn_scalar: sizes.hidden / sizes.heads,
    pad_token_id: 0,
  }),
};

function besides(name: string, when: string): string {
  return name.replace('post_attention', `${when}_feedforward`);
}

/** No family that any program knows: no layers, a scalar, an empty tensor, rank 3, one element. */
const unknown: Family = {
  tensors: ({ hidden, feedForward }) => [
    { name: 'encoder.projection', shape: [hidden, feedForward] },
    { name: 'encoder.experts', shape: [3, hidden, 5] },
    { name: 'temperature', shape: [] },
    { name: 'gate', shape: [1] },
    { name: 'nothing', shape: [0, hidden] },
    { name: 'bias', shape: [7] },
  ],
  config: () => undefined,
};

/** A Llama by its names alone: single elements, rows and columns of one, primes, ranks 3 and 4, a vector over two blocks. */
const odd: Family = {
  tensors({ layers }) {
    const tensors: NamedShape[] = [{ name: 'model.embed_tokens.weight', shape: [5, 3] }];
    for (let layer = 0; layer < layers; layer++) {
      for (const [name, ...shape] of [
        ['input_layernorm', 1],
        ['self_attn.q_proj', 1, 1],
        ['self_attn.k_proj', 2, 3, 5],
        ['self_attn.v_proj', 17, 1],
        ['self_attn.o_proj', 1, 33],
        ['post_attention_layernorm', 3],
        ['mlp.gate_proj', 127, 2],
        ['mlp.up_proj', 2, 127],
        ['mlp.down_proj', 16_411],
      ] as [string, ...number[]][]) {
        tensors.push({ name: `model.layers.${layer}.${name}.weight`, shape });
      }
    }
    tensors.push({ name: 'model.norm.weight', shape: [2] }, { name: 'lm_head.weight', shape: [3, 2, 2, 2] });
    return tensors;
  },
  config: decoderConfig('LlamaForCausalLM', 'llama'),
};

export const families = {
  llama: {
    tensors: (sizes, tied) => decoderTensors(sizes, tied, false),
    config: decoderConfig('LlamaForCausalLM', 'llama'),
  },
  mistral: {
    tensors: (sizes, tied) => decoderTensors(sizes, tied, false),
    config: decoderConfig('MistralForCausalLM', 'mistral'),
  },
  qwen2: {
    tensors: (sizes, tied) => decoderTensors(sizes, tied, true),
    config: decoderConfig('Qwen2ForCausalLM', 'qwen2'),
  },
  gemma2,
  'qwen2-windowed': {
    tensors: (sizes, tied) => decoderTensors(sizes, tied, true),
    config: (sizes, tied, dtype) => ({
      ...decoderConfig('Qwen2ForCausalLM', 'qwen2')(sizes, tied, dtype),
      ...layerTypes(sizes),
      use_sliding_window: true,
    }),
  },
  gpt2,
  odd,
  unknown,
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;
