import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A Llama of 412 million bf16 parameters: 0.82 GB. */
const HIDDEN = 1024;
const INTERMEDIATE = 4096;
const LAYERS = 22;
const VOCABULARY = 32_000;

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: HIDDEN,
  intermediate_size: INTERMEDIATE,
  num_hidden_layers: LAYERS,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 64,
  vocab_size: VOCABULARY,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
};

function tensors(): [string, number[]][] {
  const list: [string, number[]][] = [['model.embed_tokens.weight', [VOCABULARY, HIDDEN]]];
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `model.layers.${layer}`;
    list.push(
      [`${at}.input_layernorm.weight`, [HIDDEN]],
      [`${at}.self_attn.q_proj.weight`, [HIDDEN, HIDDEN]],
      [`${at}.self_attn.k_proj.weight`, [HIDDEN / 2, HIDDEN]],
      [`${at}.self_attn.v_proj.weight`, [HIDDEN / 2, HIDDEN]],
      [`${at}.self_attn.o_proj.weight`, [HIDDEN, HIDDEN]],
      [`${at}.post_attention_layernorm.weight`, [HIDDEN]],
      [`${at}.mlp.gate_proj.weight`, [INTERMEDIATE, HIDDEN]],
      [`${at}.mlp.up_proj.weight`, [INTERMEDIATE, HIDDEN]],
      [`${at}.mlp.down_proj.weight`, [HIDDEN, INTERMEDIATE]],
    );
  }
  list.push(['model.norm.weight', [HIDDEN]], ['lm_head.weight', [VOCABULARY, HIDDEN]]);
  return list;
}

/**
 * Writes a base (`variant` 0) or an expert: the base's values plus a small difference of its own, so that task vectors
 * look like those of fine-tunes. Does nothing where the folder is there already.
 */
export async function writeSyntheticLlama(directory: string, variant: number): Promise<void> {
  const path = join(directory, 'model.safetensors');
  const done = join(directory, 'config.json');
  if (await stat(done).catch(() => undefined)) return;
  await mkdir(directory, { recursive: true });
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  const sizes = tensors().map(([name, shape]) => {
    const bytes = shape.reduce((product, size) => product * size, 2);
    entries[name] = { dtype: 'BF16', shape, data_offsets: [end, (end += bytes)] };
    return bytes;
  });
  const json = Buffer.from(JSON.stringify(entries));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  const file = await open(path, 'w');
  await file.write(header);
  for (const [index, bytes] of sizes.entries()) await file.write(values(bytes / 2, index, variant));
  await file.close();
  await writeFile(done, JSON.stringify(config, undefined, 2));
}

/** A counter through an integer hash: no two elements alike, the same on every machine. */
function values(count: number, tensor: number, variant: number): Uint8Array {
  const singles = new Float32Array(count);
  const bits = new Uint32Array(singles.buffer);
  const out = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const base = uniform(i, tensor) * 0.04;
    singles[i] = variant === 0 ? base : base + uniform(i, tensor + 1000 * variant) * 0.002;
  }
  for (let i = 0; i < count; i++) out[i] = ((bits[i] ?? 0) + 0x8000) >>> 16;
  return new Uint8Array(out.buffer);
}

/** About normal, between -1 and 1: the sum of two uniform halves of one hashed word. */
function uniform(i: number, stream: number): number {
  let x = (i ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  x = (x ^ (x >>> 15)) >>> 0;
  return ((x & 0xffff) + (x >>> 16)) / 65_536 - 1;
}
