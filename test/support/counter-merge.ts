import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { join } from 'node:path';
import type { OutputTensor } from '../../src/engine/checkpoint/layout.js';
import { indexJson, shardFiles } from '../../src/engine/checkpoint/layout.js';
import { planOf } from './determinism.js';

/** Far above what stays in memory between passes; a model of the usual sizes has both. */
const EMBEDDING = [131_072, 1024];
const MATRIX = [14_336, 4096];
const MATRICES_PER_LAYER = 2;
const SHARD_BYTES = 1e9;

export interface CounterMerge {
  /** Peak of the process that merged, in bytes. */
  peakBytes: number;
  sha256: string[];
  writtenBytes: number;
  seconds: number;
}

/** Models of that many bytes, `base`, `a` and `b`, whose values come from a counter: on disk there are only headers. */
export function writeCounterModels(folder: string, bytes: number): void {
  const tensors: OutputTensor[] = [{ name: 'model.embed_tokens.weight', dtype: 'BF16', shape: EMBEDDING }];
  const layerBytes = MATRICES_PER_LAYER * 2 * MATRIX.reduce((product, size) => product * size, 1);
  const layers = Math.max(
    1,
    Math.round((bytes - 2 * EMBEDDING.reduce((product, size) => product * size, 1)) / layerBytes),
  );
  for (let layer = 0; layer < layers; layer++) {
    for (const name of ['gate_proj', 'up_proj']) {
      tensors.push({ name: `model.layers.${layer}.mlp.${name}.weight`, dtype: 'BF16', shape: MATRIX });
    }
    tensors.push({ name: `model.layers.${layer}.input_layernorm.weight`, dtype: 'BF16', shape: [4096] });
  }
  ['base', 'a', 'b'].forEach((model, seed) => {
    const directory = join(folder, 'counter-source', model);
    mkdirSync(directory, { recursive: true });
    // Its name tells the source how long the header is, so each shard has one of its own.
    const shards = shardFiles(tensors, 5e9).map((shard, i) => {
      return { ...shard, name: `model-${i}-${seed}-${shard.header.byteLength}.safetensors` };
    });
    for (const { name, header, bytes: size } of shards) {
      const file = openSync(join(directory, name), 'w');
      writeSync(file, header);
      ftruncateSync(file, size);
      closeSync(file);
    }
    writeFileSync(join(directory, 'model.safetensors.index.json'), indexJson(shards));
    const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama', num_hidden_layers: layers };
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  });
}

/** Merges such models in a process of its own. Each shard is written, hashed, and deleted. */
export async function mergeCounterModels(folder: string, recipe: string): Promise<CounterMerge> {
  const merge = await planOf(recipe, join(folder, 'counter-source'), { shardBytes: SHARD_BYTES, report: 'sampled' });
  const [request, answer, script] = ['request.json', 'answer.json', 'merge.mjs'].map((name) => join(folder, name));
  const directory = join(folder, 'out');
  mkdirSync(directory, { recursive: true });
  writeFileSync(request ?? '', JSON.stringify({ ...merge, directory, answer }));
  writeFileSync(script ?? '', PROGRAM);
  const source = resolve(import.meta.dirname, 'counter-source.cjs');
  const child = spawn(process.execPath, ['--require', source, script ?? '', request ?? ''], { stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`the merge ended with ${String(status)}`);
  return JSON.parse(readFileSync(answer ?? '', 'utf8')) as CounterMerge;
}

const PROGRAM = `
  import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { execute } from ${JSON.stringify(new URL('../../dist/src/engine/index.js', import.meta.url).href)};
  import { peakRssBytes } from ${JSON.stringify(new URL('../../dist/src/cli/peak-memory.js', import.meta.url).href)};
  const { plan, folders, directory, answer } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const onEvent = ({ type, file }) => type === 'shard' && unlinkSync(join(directory, file));
  const locate = (input, file) => join(folders[input], file);
  const { shards, writtenBytes, seconds } = await execute(plan, { directory, threads: 2, onEvent, locate });
  const peakBytes = peakRssBytes();
  const sha256 = shards.map((shard) => shard.sha256);
  writeFileSync(answer, JSON.stringify({ peakBytes, sha256, writtenBytes, seconds }));
`;
