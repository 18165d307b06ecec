import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { decode } from './tensors.js';

// A second, plain reader and writer: tests that read with the engine's own would miss what both get wrong.

export interface StoredTensor {
  dtype: FloatDtype;
  shape: number[];
  bytes: Uint8Array;
}

/** All tensors of a model folder, whatever files they lie in. */
export function readModel(directory: string): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith('.safetensors')) continue;
    for (const [name, tensor] of readSafetensors(join(directory, file))) {
      if (tensors.has(name)) throw new Error(`${name} is in two files of ${directory}`);
      tensors.set(name, tensor);
    }
  }
  return tensors;
}

export function readSafetensors(path: string): Map<string, StoredTensor> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, unknown>;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets } = entry as {
      dtype: FloatDtype;
      shape: number[];
      data_offsets: [number, number];
    };
    const [begin, end] = data_offsets;
    // A copy, because views of wider elements need their bytes aligned.
    tensors.set(name, { dtype, shape, bytes: Uint8Array.from(file.subarray(start + begin, start + end)) });
  }
  return tensors;
}

export function safetensorsBytes(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> = { format: 'pt' },
): Uint8Array {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.byteLength] };
    at += bytes.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.byteLength % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.byteLength));
  return Buffer.concat([length, padded, ...[...tensors.values()].map(({ bytes }) => bytes)]);
}

export function valuesOf({ dtype, bytes }: StoredTensor): Float64Array {
  return decode(dtype, bytes);
}
