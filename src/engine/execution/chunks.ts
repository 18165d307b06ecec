import type { Pointer } from '../kernels/kernels.js';
import { BLOCK_ELEMENTS, type Block, type MergeOperation, type Walk } from '../methods/method.js';
import type { BlockObserver } from '../report/block-observer.js';
import type { Convert } from './codec.js';
import type { BlockRange } from './task.js';

/** One model's tensor on its way through a thread. */
export interface Input {
  path: string;
  offset: number;
  elementBytes: number;
  raw: Pointer;
  decoded: Pointer;
  decodedBytes: number;
  decode: Convert;
  /** bf16, and computed with as it is stored. */
  isBrain: boolean;
}

/** What was loaded: `count` elements from `first` on, to be worked through `size` at a time, from every `stride`. */
export interface Chunk {
  inputs: Input[];
  first: number;
  count: number;
  size: number;
  stride: number;
  /** Elements that lie before the chunk in the raw buffers. */
  skip: number;
}

/** A run of elements: from the first up to, not including, the last. */
export interface Span {
  from: number;
  to: number;
}

/** What a pass reads of a range: all of it, or the sections that the walk looks at. */
export function* spansOf(operation: MergeOperation, range: BlockRange, size: number, walk?: Walk): Generator<Span> {
  const start = range.firstBlock * size;
  const end = Math.min((range.firstBlock + range.blocks) * size, operation.elements);
  const section = walk?.section;
  if (section === undefined) {
    yield { from: start, to: end };
    return;
  }
  for (let at = Math.floor(start / section.stride) * section.stride; at < end; at += section.stride) {
    const [from, to] = [Math.max(start, at), Math.min(end, at + section.size)];
    if (from < to) yield { from, to };
  }
}

export function isBrain(input: Input): boolean {
  return input.isBrain;
}

/** Conversions have scratch for one canonical block; longer rows take several turns. */
export function inPieces(count: number, visit: (from: number, n: number) => void): void {
  for (let from = 0; from < count; from += BLOCK_ELEMENTS) visit(from, Math.min(BLOCK_ELEMENTS, count - from));
}

/** The block of a chunk that begins `at` elements from its start, as it is stored. */
export function storedBlock({ inputs, first, count, size, skip }: Chunk, at: number, output: Pointer): Block {
  const pointers = inputs.map((input) => input.raw + (skip + at) * input.elementBytes);
  return { first: first + at, count: Math.min(size, count - at), inputs: pointers, output };
}

/** How many elements from `at` on may be computed as they are stored: whole blocks up to one that the report looks at. */
export function unwatched(chunk: Chunk, at: number, most: number, observer: BlockObserver | undefined): number {
  const limit = Math.min(at + most, chunk.count);
  let to = at;
  while (to < limit && observer?.watches(chunk.first + to) !== true) to += chunk.size;
  return Math.min(to, chunk.count) - at;
}

/** `count` elements of a chunk as a chunk of its own, to be worked through in smaller steps. */
export function partOf({ inputs, first, skip }: Chunk, at: number, count: number, size: number): Chunk {
  return { inputs, first: first + at, count, size, stride: size, skip: skip + at };
}

/** `count` elements of what was loaded, from the one `at` on. */
export function decodeInput(input: Input | undefined, at: number, target: Pointer, count: number): void {
  if (input === undefined) return;
  inPieces(count, (from, n) => {
    input.decode(input.raw + (at + from) * input.elementBytes, target + from * input.decodedBytes, n);
  });
}
