import { indexJson, type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';

export interface SyntheticModel {
  layers: number;
  /** Bytes of each layer's one bf16 tensor. */
  layerBytes: number;
  /** Of the first layer's, where it is another size. */
  firstLayerBytes?: number;
  /** Of each file, at most; 64 MB by default. */
  shardBytes?: number;
  seed: number;
}

/**
 * A Llama by name with one tensor a layer: large enough to be caught in the middle of a merge, and the same bytes for
 * the same seed. All numbers are finite and of ordinary size.
 */
export function syntheticModel({
  layers,
  layerBytes,
  firstLayerBytes = layerBytes,
  shardBytes = 64_000_000,
  seed,
}: SyntheticModel): Record<string, Uint8Array> {
  const columns = 256;
  const tensors = Array.from({ length: layers }, (_unused, layer): OutputTensor => {
    const shape = [Math.ceil((layer === 0 ? firstLayerBytes : layerBytes) / 2 / columns), columns];
    return { name: `model.layers.${layer}.mlp.up_proj.weight`, dtype: 'BF16', shape };
  });
  const shards = shardFiles(tensors, shardBytes);
  const files: Record<string, Uint8Array> = { 'config.json': Buffer.from(JSON.stringify(configOf(layers))) };
  let state = seed >>> 0 || 1;
  for (const { name, header, bytes } of shards) {
    const file = Buffer.alloc(bytes);
    file.set(header);
    for (let at = header.byteLength; at + 1 < bytes; at += 2) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      // bf16 between 2^-7 and 2^-3, either sign.
      file[at] = state & 0xff;
      file[at + 1] = (state & 0x8000 ? 0xbc : 0x3c) | ((state >>> 8) & 1);
    }
    files[name] = file;
  }
  if (shards.length > 1) files['model.safetensors.index.json'] = Buffer.from(indexJson(shards));
  return files;
}

function configOf(layers: number): object {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    num_hidden_layers: layers,
    hidden_size: 256,
    vocab_size: 32,
    torch_dtype: 'bfloat16',
  };
}
