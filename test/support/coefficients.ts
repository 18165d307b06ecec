import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import type { TinyCheckpoint } from './checkpoints.js';
import { Random } from './random.js';
import { safetensorsBytes, type StoredTensor } from './safetensors.js';
import { encode } from './tensors.js';

/** Coefficients for every tensor of a model: of each column, and one for all of some. */
export function damCoefficients(
  model: Pick<TinyCheckpoint, 'tensors'>,
  labels: readonly string[],
  dtype: FloatDtype = 'F32',
): Map<string, StoredTensor> {
  const random = new Random(77);
  const found = new Map<string, StoredTensor>();
  for (const [name, { shape }] of model.tensors) {
    const columns = name.endsWith('o_proj.weight') ? 1 : (shape.at(-1) ?? 1);
    for (const label of labels) {
      const values = Float64Array.from({ length: columns }, () => random.normal());
      found.set(`${name}@${label}`, { dtype, shape: [columns], bytes: encode(dtype, values) });
    }
  }
  return found;
}

/** A folder that a recipe may name under `coefficients`. @param description what the file says of itself */
export function writeCoefficients(
  directory: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  description: object | string,
): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'model.safetensors'), coefficientsFile(tensors, description));
}

export function coefficientsFile(tensors: ReadonlyMap<string, StoredTensor>, description: object | string): Uint8Array {
  const text = typeof description === 'string' ? description : JSON.stringify({ version: 1, ...description });
  return safetensorsBytes(tensors, { amalgam_dam: text });
}
