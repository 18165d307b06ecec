import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StorageError, type UploadedPart } from './object-store.js';

/** Where a part lies in the upload's file; it is the part's tag, so that it survives a restart with the caller. */
interface Region {
  offset: number;
  bytes: number;
}

/**
 * The parts of one upload, behind each other in one file as they arrive. Sent in order, which is the rule, they are
 * the object already and completing copies nothing; sent again or out of order they are put in order then.
 */
export class StagedUpload {
  private readonly file: string;
  private writes: Promise<unknown> = Promise.resolve();

  constructor(private readonly folder: string) {
    this.file = join(folder, 'parts');
  }

  append(bytes: Uint8Array): Promise<string> {
    const written = this.writes.then(async () => {
      const handle = await open(this.file, 'a');
      try {
        const { size } = await handle.stat();
        await handle.writeFile(bytes);
        return `${String(size)}-${String(bytes.byteLength)}`;
      } finally {
        await handle.close();
      }
    });
    this.writes = written.catch(() => undefined);
    return written;
  }

  /** The synced file that holds the parts in order. @throws StorageError upload_part_invalid */
  async assemble(parts: readonly UploadedPart[]): Promise<string> {
    await this.writes;
    const regions = [...parts].sort((a, b) => a.number - b.number).map(({ tag }) => region(tag));
    const fileBytes = await stat(this.file).then(
      ({ size }) => size,
      () => 0,
    );
    if (regions.some(({ offset, bytes }) => offset + bytes > fileBytes)) {
      throw new StorageError('upload_part_invalid', 'A part is named that was never taken.');
    }
    let end = 0;
    const inPlace = regions.every(({ offset, bytes }) => offset === end && (end += bytes) > 0);
    if (!inPlace || end !== fileBytes || regions.length === 0) return this.copy(regions);
    const handle = await open(this.file, 'r+');
    await handle.sync().finally(() => handle.close());
    return this.file;
  }

  private async copy(regions: readonly Region[]): Promise<string> {
    const whole = join(this.folder, 'whole');
    const target = await open(whole, 'w');
    try {
      for (const { offset, bytes } of regions.filter((each) => each.bytes > 0)) {
        const source = createReadStream(this.file, { start: offset, end: offset + bytes - 1, highWaterMark: 1 << 20 });
        await pipeline(source, async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await target.writeFile(chunk);
        });
      }
      await target.sync();
    } finally {
      await target.close();
    }
    return whole;
  }
}

function region(tag: string): Region {
  const [, offset, bytes] = /^(\d{1,15})-(\d{1,15})$/.exec(tag) ?? [];
  if (offset === undefined) throw new StorageError('upload_part_invalid', 'A part is named that was never taken.');
  return { offset: Number(offset), bytes: Number(bytes) };
}
