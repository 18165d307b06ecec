import { tinyCheckpoint } from './checkpoints.js';
import { safetensorsBytes } from './safetensors.js';

/** The files of a random model of some thousand parameters. All of them can be merged with each other. */
export function tinyModelFiles(seed: number): Record<string, Uint8Array> {
  const { config, tensors } = tinyCheckpoint({ seed });
  return { 'config.json': Buffer.from(JSON.stringify(config)), 'model.safetensors': safetensorsBytes(tensors) };
}
