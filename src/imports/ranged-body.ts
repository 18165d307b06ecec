import { Readable } from 'node:stream';
import { usualPartBytes } from '../models/upload-range.js';

/** One file that is far away. */
export interface RangeReader {
  /** Exactly these bytes, in memory. */
  read(offset: number, length: number): Promise<Buffer>;
  /** As many bytes as the buffer has. @returns the buffer */
  readInto(buffer: Buffer, offset: number): Promise<Buffer>;
}

/** A range: large enough that its request does not count, small enough to be sent again after a cut; stored as it is. */
export const pieceBytes = usualPartBytes;
/** Ranges of one file that are fetched while one is stored. */
const piecesAhead = 2;

/**
 * A file from `offset` to its end: ranges fetched beside each other, delivered in order, so that they can be hashed and
 * stored as they come. A piece is whole until the next one is asked for; then its memory takes another one, because what
 * is left to the garbage collector adds up faster than it is collected.
 */
export function rangedBody(
  reader: Pick<RangeReader, 'readInto'>,
  offset: number,
  totalBytes: number,
  onReached: (bytes: number) => void,
): Readable {
  // Nothing is taken in advance: a piece that waits in the stream would be overwritten.
  return Readable.from(pieces(reader, offset, totalBytes, onReached), { objectMode: true, highWaterMark: 0 });
}

async function* pieces(
  reader: Pick<RangeReader, 'readInto'>,
  offset: number,
  totalBytes: number,
  onReached: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const free: Buffer[] = [];
  const ahead: Promise<Buffer>[] = [];
  let at = offset;
  let reached = offset;
  const fetchNext = (): void => {
    const length = Math.min(pieceBytes, totalBytes - at);
    const buffer = free.pop() ?? Buffer.allocUnsafeSlow(length);
    const piece = reader.readInto(buffer.subarray(0, length), at);
    // Whoever comes to it hears of its failure; until then it is not nobody's.
    piece.catch(() => undefined);
    ahead.push(piece);
    at += length;
  };
  try {
    while (at < totalBytes || ahead.length > 0) {
      while (at < totalBytes && ahead.length <= piecesAhead) fetchNext();
      const next = await ahead.shift();
      if (!next) return;
      yield next;
      onReached((reached += next.byteLength));
      free.push(next);
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}
