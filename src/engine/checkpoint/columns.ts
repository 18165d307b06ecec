import { setImmediate } from 'node:timers/promises';

import { type Dtype, dtypes } from './dtype.js';
import type { SafetensorsHeader, TensorEntry } from './header.js';
import type { ShardIndex } from './shard-index.js';

/**
 * A header or index as a few long columns. Between threads, half a million small objects are copied one by one while the
 * receiver stands still for seconds; columns arrive at once, and become objects again in slices.
 */
export interface HeaderColumns {
  metadata: Map<string, string>;
  dataStart: number;
  /** Joined by NUL, which no name has. */
  names: string;
  dtypes: Uint8Array;
  ranks: Uint8Array;
  sizes: Float64Array;
  ends: Float64Array;
}

export interface IndexColumns {
  totalBytes: number | undefined;
  names: string;
  shards: string[];
  /** For each name, the position of its shard in `shards`. */
  shardOf: Uint16Array;
}

/** Others get their turn after so many items: about 5 ms. */
const sliceItems = 8192;

/** Counts items of a long loop, and lets the event loop run now and then. */
export class Turns {
  private items = 0;

  /** True when the caller should await `next()`; apart, because awaiting every item costs more than the work. */
  due(): boolean {
    return ++this.items % sliceItems === 0;
  }

  async next(): Promise<void> {
    await setImmediate();
  }
}

export function packHeader({ metadata, dataStart, tensors }: SafetensorsHeader): HeaderColumns {
  const numbers = new Map(dtypes.map((dtype, number) => [dtype, number]));
  return {
    metadata,
    dataStart,
    names: tensors.map(({ name }) => name).join('\0'),
    dtypes: Uint8Array.from(tensors, ({ dtype }) => numbers.get(dtype) ?? 0),
    ranks: Uint8Array.from(tensors, ({ shape }) => shape.length),
    sizes: Float64Array.from(tensors.flatMap(({ shape }) => shape)),
    ends: Float64Array.from(tensors, ({ end }) => end),
  };
}

export async function unpackHeader(columns: HeaderColumns): Promise<SafetensorsHeader> {
  const tensors: TensorEntry[] = [];
  const turns = new Turns();
  let size = 0;
  let begin = 0;
  for (const name of splitNames(columns.names, columns.ends.length)) {
    const at = tensors.length;
    const rank = columns.ranks[at] ?? 0;
    const end = columns.ends[at] ?? begin;
    const shape = Array.from(columns.sizes.subarray(size, size + rank));
    tensors.push({ name, dtype: dtypes[columns.dtypes[at] ?? 0] as Dtype, shape, begin, end });
    size += rank;
    begin = end;
    if (turns.due()) await turns.next();
  }
  return { metadata: columns.metadata, tensors, dataStart: columns.dataStart };
}

export function packIndex({ totalBytes, weightMap }: ShardIndex): IndexColumns {
  const shards = [...new Set(weightMap.values())];
  const numbers = new Map(shards.map((shard, number) => [shard, number]));
  return {
    totalBytes,
    names: [...weightMap.keys()].join('\0'),
    shards,
    shardOf: Uint16Array.from(weightMap.values(), (shard) => numbers.get(shard) ?? 0),
  };
}

export async function unpackIndex({ totalBytes, names, shards, shardOf }: IndexColumns): Promise<ShardIndex> {
  const weightMap = new Map<string, string>();
  const turns = new Turns();
  for (const name of splitNames(names, shardOf.length)) {
    weightMap.set(name, shards[shardOf[weightMap.size] ?? 0] ?? '');
    if (turns.due()) await turns.next();
  }
  return totalBytes === undefined ? { weightMap } : { totalBytes, weightMap };
}

function* splitNames(names: string, count: number): Generator<string> {
  let start = 0;
  for (let item = 0; item < count; item++) {
    const end = names.indexOf('\0', start);
    yield names.slice(start, end < 0 ? names.length : end);
    start = end + 1;
  }
}
