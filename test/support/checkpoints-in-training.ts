import { readSample } from './sample-models.js';

const WEIGHTS = 'model.safetensors';

/**
 * A sample model after a little more training: a few weights are others, so that each step has bytes of its own.
 * @param step below 32; 0 is the sample itself
 */
export function trainedSample(name: string, step: number): Record<string, Uint8Array> {
  const files = readSample(name);
  const bytes = Buffer.from(files[WEIGHTS] ?? new Uint8Array());
  const first = 8 + Number(bytes.readBigUInt64LE(0));
  // Little-endian bf16, whose even bytes are low ones: the bit moves a weight by some per cent at most.
  for (let at = first + 2 * step; step > 0 && at < bytes.length; at += 64) bytes[at] = (bytes[at] ?? 0) ^ 4;
  return { ...files, [WEIGHTS]: bytes };
}
