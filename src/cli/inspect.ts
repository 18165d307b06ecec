import { stat } from 'node:fs/promises';
import { type Checkpoint, inspectOffThread, localDirectory } from '../engine/index.js';
import { Failure } from './failure.js';
import { formatBytes, formatCount, formatFields, formatTable, plural, printable } from './format.js';

/** `amalgam inspect DIR`: what a model is, from its headers. @throws Failure, EngineError */
export async function inspect(directory: string, options: { json?: boolean; tensors?: boolean }): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new Failure('model_not_found', `${directory} is not a directory`);
  const checkpoint = await inspectOffThread(localDirectory(directory));
  if (options.json === true) {
    const { numberSpellings: _spellings, tensors, ...summary } = checkpoint;
    process.stdout.write(`${JSON.stringify({ directory, ...summary, tensors: [...tensors.values()] }, null, 2)}\n`);
    return;
  }
  for (const warning of checkpoint.warnings) process.stderr.write(`warning: ${printable(warning)}\n`);
  process.stdout.write(describe(directory, checkpoint));
  if (options.tensors === true) process.stdout.write(`\n${tensorTable(checkpoint)}`);
}

function describe(directory: string, checkpoint: Checkpoint): string {
  const { architecture, modelType, parameterCount, tensors, shards, quantisation, config } = checkpoint;
  const weights = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const fields = formatFields([
    ['model', directory],
    ['architecture', [architecture, modelType && `(${modelType})`].filter(Boolean).join(' ') || 'not declared'],
    ['layers', layersOf(config)],
    ['parameters', formatCount(parameterCount)],
    ['weights', `${formatBytes(weights)} in ${plural(tensors.size, 'tensor')} and ${plural(shards.length, 'file')}`],
    ['dtypes', dtypesOf(checkpoint)],
    ...(quantisation === undefined ? [] : [['quantised', `${quantisation}: cannot be merged`] as const]),
  ]);
  const files = checkpoint.files.map(({ path, bytes }) => [printable(path), formatBytes(bytes)]);
  return `${fields}\n${formatTable(files)}`;
}

function layersOf(config: Checkpoint['config']): string {
  const layers = config?.['num_hidden_layers'];
  const hidden = config?.['hidden_size'];
  if (typeof layers !== 'number') return 'not declared';
  return typeof hidden === 'number' ? `${layers}, hidden size ${hidden}` : String(layers);
}

function dtypesOf({ dtypes }: Checkpoint): string {
  return Object.entries(dtypes)
    .sort(([, a], [, b]) => b - a)
    .map(([dtype, count]) => `${dtype} (${plural(count, 'tensor')})`)
    .join(', ');
}

function tensorTable({ tensors }: Checkpoint): string {
  return formatTable(
    [...tensors.values()].map(({ name, dtype, shape, bytes, file }) => [
      printable(name),
      dtype,
      `[${shape.join(', ')}]`,
      formatBytes(bytes),
      printable(file),
    ]),
  );
}
