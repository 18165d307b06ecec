import { Readable } from 'node:stream';

/** One file that is far away. */
export interface RangeReader {
  /** Exactly these bytes, in memory. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A range: large enough that its request does not count, small enough to be sent again after a cut. */
const pieceBytes = 8 * 2 ** 20;
/** Ranges of one file that are fetched at once; each is in memory until those before it are stored. */
const piecesAhead = 3;

/** A file from `offset` to its end: ranges fetched beside each other, delivered in order, so that they can be hashed and stored as they come. */
export function rangedBody(
  reader: RangeReader,
  offset: number,
  totalBytes: number,
  onReached: (bytes: number) => void,
): Readable {
  return Readable.from(pieces(reader, offset, totalBytes, onReached), { objectMode: true, highWaterMark: 1 });
}

async function* pieces(
  reader: RangeReader,
  offset: number,
  totalBytes: number,
  onReached: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  let at = offset;
  let reached = offset;
  try {
    while (at < totalBytes || ahead.length > 0) {
      while (at < totalBytes && ahead.length < piecesAhead) {
        const length = Math.min(pieceBytes, totalBytes - at);
        const piece = reader.read(at, length);
        // Whoever comes to it hears of its failure; until then it is not nobody's.
        piece.catch(() => undefined);
        ahead.push(piece);
        at += length;
      }
      const next = await ahead.shift();
      if (!next) return;
      yield next;
      onReached((reached += next.byteLength));
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}
