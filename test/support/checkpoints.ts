import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FloatDtype, torchName } from '../../src/engine/checkpoint/dtype.js';
import { families, type FamilyName, type ModelSizes, type NamedShape } from './families.js';
import { Random } from './random.js';
import { safetensorsBytes, type StoredTensor, valuesOf } from './safetensors.js';
import { encode } from './tensors.js';

export const TINY: ModelSizes = { layers: 3, hidden: 24, heads: 4, keyValueHeads: 2, feedForward: 40, vocabulary: 37 };
/** Its embedding has more elements than two canonical blocks (16,384), and no multiple of them. */
export const SMALL: ModelSizes = {
  layers: 2,
  hidden: 72,
  heads: 4,
  keyValueHeads: 2,
  feedForward: 300,
  vocabulary: 461,
};

export interface CheckpointRequest {
  seed: number;
  family?: FamilyName;
  sizes?: ModelSizes;
  dtype?: FloatDtype;
  /** No lm_head in the files. Default false. */
  tied?: boolean;
  /** The model that this one was fine-tuned from. Absent: independent values. */
  parent?: TinyCheckpoint;
  /** Size of the change against the parent's values. Default 0.05. */
  change?: number;
}

export interface TinyCheckpoint {
  request: CheckpointRequest;
  config: Record<string, unknown> | undefined;
  tensors: Map<string, StoredTensor>;
}

/**
 * A random model. Of a fine-tuned one, some tensors are the parent's to the last bit and others changed in a few places,
 * as after real training with frozen parts.
 */
export function tinyCheckpoint(request: CheckpointRequest): TinyCheckpoint {
  const { seed, family = 'llama', sizes = TINY, dtype = 'F32', tied = false } = request;
  const random = new Random(seed);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape } of families[family].tensors(sizes, tied)) {
    const parent = request.parent?.tensors.get(name);
    const values =
      parent === undefined ? freshValues({ name, shape }, random) : changed(valuesOf(parent), request, random);
    tensors.set(name, { dtype, shape, bytes: encode(dtype, values) });
  }
  return { request, config: families[family].config(sizes, tied, torchName(dtype)), tensors };
}

function freshValues({ name, shape }: NamedShape, random: Random): Float64Array {
  const elements = shape.reduce((product, size) => product * size, 1);
  const isNorm = /norm|ln_/.test(name) && name.endsWith('weight');
  return Float64Array.from({ length: elements }, () => (isNorm ? 1 : 0) + 0.1 * random.normal());
}

function changed(values: Float64Array, { change = 0.05 }: CheckpointRequest, random: Random): Float64Array {
  const kind = random.next();
  if (kind < 0.08) return values;
  const density = kind < 0.2 ? 0.1 : 1;
  return values.map((value) => (random.chance(density) ? value + change * random.normal() : value));
}

/** Writes config.json and the weights. @param shards into how many files (with an index when more than one) */
export function writeCheckpoint(directory: string, { config, tensors }: TinyCheckpoint, shards = 1): void {
  mkdirSync(directory, { recursive: true });
  if (config !== undefined) writeFileSync(join(directory, 'config.json'), JSON.stringify(config, null, 2));
  if (shards === 1) {
    writeFileSync(join(directory, 'model.safetensors'), safetensorsBytes(tensors));
    return;
  }
  const map: Record<string, string> = {};
  const names = [...tensors.keys()];
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${String(shard + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
    // Dealt out one by one, so that neighbours lie in different files.
    const part = names.filter((_name, i) => i % shards === shard);
    for (const name of part) map[name] = file;
    const content = new Map([...tensors].filter(([name]) => map[name] === file));
    writeFileSync(join(directory, file), safetensorsBytes(content));
  }
  const total = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const index = { metadata: { total_size: total }, weight_map: map };
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index, null, 2));
}
