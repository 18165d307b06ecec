import { readSample } from './sample-models.js';

const WEIGHTS = 'model.safetensors';

/**
 * A sample model after a little more training: a bit of every eighth weight is another one, so that each step has bytes
 * of its own.
 * @param step from 0, which is the sample itself
 */
export function trainedSample(name: string, step: number): Record<string, Uint8Array> {
  const files = readSample(name);
  const bytes = Buffer.from(files[WEIGHTS] ?? new Uint8Array());
  const first = 8 + Number(bytes.readBigUInt64LE(0));
  // Little-endian bf16: the even bytes are low ones, and bits 1 to 3 move a weight by a few per cent at most.
  for (let at = first + (first % 2); step > 0 && at < bytes.length; at += 16) {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (step % 4));
  }
  return { ...files, [WEIGHTS]: bytes };
}
