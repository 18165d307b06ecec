import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { indexJson, type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';

/** So small that the time goes into what a merge does for each tensor, not into its numbers. */
const SHAPE = [16, 32];
export const SPARSE_SHARD_BYTES = 4_000_000;

/**
 * Writes a mixture of experts that keeps every expert's matrices apart, 64 experts a layer. Its files have the right size
 * and nothing but headers in them: all weights are zero, and take no disk.
 */
export function writeSparseExperts(directory: string, count: number): void {
  const tensors = Array.from({ length: count }, (_unused, i): OutputTensor => {
    const [layer, expert, part] = [Math.floor(i / 192), Math.floor(i / 3) % 64, ['gate', 'up', 'down'][i % 3]];
    const name = `model.layers.${String(layer)}.mlp.experts.${String(expert)}.${part ?? ''}_proj.weight`;
    return { name, dtype: 'BF16', shape: SHAPE };
  });
  mkdirSync(directory, { recursive: true });
  const shards = shardFiles(tensors, SPARSE_SHARD_BYTES);
  for (const { name, header, bytes } of shards) {
    const file = openSync(join(directory, name), 'w');
    writeSync(file, header);
    ftruncateSync(file, bytes);
    closeSync(file);
  }
  if (shards.length > 1) writeFileSync(join(directory, 'model.safetensors.index.json'), indexJson(shards));
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ architectures: ['MixtralForCausalLM'] }));
}
