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
  const done = join(directory, 'config.json');
  if (await stat(done).catch(() => undefined)) return;
  await mkdir(directory, { recursive: true });
  const list = tensors().map(([name, shape]) => ({ name, shape, dtype: 'BF16', width: 2 }));
  await writeTensors(directory, { format: 'pt' }, list, (count, index) => values(count, index, variant));
  await writeFile(done, JSON.stringify(config, undefined, 2));
}

/** Coefficients of every column of the experts a and b, near one half. */
export async function writeSyntheticCoefficients(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const models = ['a', 'b'];
  const list = tensors().flatMap(([name, shape]) =>
    models.map((model) => ({ name: `${name}@${model}`, shape: shape.slice(-1), dtype: 'F32', width: 4 })),
  );
  const metadata = { amalgam_dam: JSON.stringify({ version: 1, models }) };
  await writeTensors(directory, metadata, list, (count, index) => {
    const singles = Float32Array.from({ length: count }, (_unused, i) => 0.5 + 0.1 * uniform(i, index));
    return new Uint8Array(singles.buffer);
  });
}

async function writeTensors(
  directory: string,
  metadata: Record<string, string>,
  list: readonly { name: string; shape: number[]; dtype: string; width: number }[],
  valuesOf: (count: number, index: number) => Uint8Array,
): Promise<void> {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  const counts = list.map(({ name, shape, dtype, width }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    entries[name] = { dtype, shape, data_offsets: [end, (end += count * width)] };
    return count;
  });
  const json = Buffer.from(JSON.stringify(entries));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  const file = await open(join(directory, 'model.safetensors'), 'w');
  await file.write(header);
  for (const [index, count] of counts.entries()) await file.write(valuesOf(count, index));
  await file.close();
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
