import { createHash } from 'node:crypto';
import {
  createReadStream,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';
import type { FakeHub } from './fake-hub.js';

const tensorBytes = 64 * 2 ** 20;

/** A repository whose weights are one file of about so many bytes, all zero: on the disk it is a hole. @returns its SHA-256 */
export async function fillWithLargeFile(hub: FakeHub, id: string, bytes: number): Promise<string> {
  const folder = join(hub.directory, 'large');
  mkdirSync(folder);
  try {
    const tensors = Array.from({ length: Math.ceil(bytes / tensorBytes) }, (_unused, layer): OutputTensor => {
      return { name: `model.layers.${layer}.mlp.up_proj.weight`, dtype: 'BF16', shape: [tensorBytes / 2 / 1024, 1024] };
    });
    const [shard] = shardFiles(tensors, Infinity);
    if (!shard) throw new Error('no tensor fits into so few bytes');
    const weights = join(folder, 'model.safetensors');
    const file = openSync(weights, 'w');
    writeSync(file, shard.header);
    ftruncateSync(file, shard.bytes);
    closeSync(file);
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ architectures: ['LlamaForCausalLM'] }));
    writeFileSync(join(folder, 'README.md'), '---\nlicense: apache-2.0\n---\n');
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(weights, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
    const sha256 = hash.digest('hex');
    // Stored already when the repository is filled, so that the hole is not copied into bytes.
    linkSync(weights, join(hub.directory, 'objects', sha256));
    await hub.control({ repos: [{ id, dir: folder }] });
    return sha256;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
