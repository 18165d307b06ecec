import type { Download, HubDownloads } from './hub-download.js';
import { HubError, StoreRefusal } from './hub-error.js';
import { type OnWait, patiently } from './hub-waiting.js';

/** What every call to the Hub needs. */
export interface HubLine {
  token: string | undefined;
  signal: AbortSignal;
  onWait?: OnWait | undefined;
}

/** Less than this between two cuts is no progress: a line that gives so little is as good as dead. */
const progressBytes = 65_536;

/** Ranges of one file at one commit. Goes on where a connection broke, and asks again where an address has expired. */
export class HubFileReader {
  /** Where the Hub's store has the file: asked for once, because the Hub counts how often it is asked. */
  #direct: URL | undefined;

  /** @param url of the file on the Hub, at a commit */
  constructor(
    private readonly downloads: HubDownloads,
    private readonly url: URL,
    private readonly bytes: number,
    private readonly line: HubLine,
  ) {}

  /** Exactly these bytes, in memory. @throws HubError; what the signal aborts with */
  read(offset: number, length: number): Promise<Buffer> {
    return this.readInto(Buffer.allocUnsafe(length), offset);
  }

  /** As many bytes as the buffer has. @returns the buffer @throws as `read` */
  async readInto(buffer: Buffer, offset: number): Promise<Buffer> {
    let filled = 0;
    const { signal, onWait } = this.line;
    while (filled < buffer.byteLength) {
      await patiently(
        async () => {
          const before = filled;
          try {
            await this.#fill(offset + filled, buffer.subarray(filled), (taken) => (filled += taken));
          } catch (error) {
            if (!(error instanceof HubError) || !error.isPassing || filled - before < progressBytes) throw error;
          }
        },
        { signal, onWait },
      );
    }
    return buffer;
  }

  async #fill(offset: number, target: Buffer, onBytes: (taken: number) => void): Promise<void> {
    const { body } = await this.#open(offset, target.byteLength);
    let filled = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (filled + chunk.byteLength > target.byteLength) throw this.#broken('more bytes came than were asked for');
        chunk.copy(target, filled);
        filled += chunk.byteLength;
        onBytes(chunk.byteLength);
      }
    } catch (error) {
      this.line.signal.throwIfAborted();
      if (error instanceof HubError) throw error;
      throw this.#broken((error as NodeJS.ErrnoException).code ?? (error as Error).message, error);
    } finally {
      body.destroy();
    }
    if (filled < target.byteLength) throw this.#broken('the answer was cut off');
  }

  async #open(offset: number, length: number): Promise<Download> {
    const { token, signal } = this.line;
    const range = [offset, offset + length - 1] as const;
    const direct = this.#direct;
    if (direct) {
      try {
        return this.#check(await this.downloads.open({ url: direct, range, token, signal }), offset, length);
      } catch (error) {
        const isOfAddress = error instanceof HubError && (error instanceof StoreRefusal || !error.isPassing);
        if (!isOfAddress) throw error;
        // Such addresses are valid for an hour or so; whether the file may still be read, the Hub says.
        this.#direct = undefined;
      }
    }
    const download = this.#check(await this.downloads.open({ url: this.url, range, token, signal }), offset, length);
    if (download.url.href !== this.url.href) this.#direct = download.url;
    return download;
  }

  /** A server that ignores ranges, or has another file under this name, is told from a line that is bad. */
  #check(download: Download, offset: number, length: number): Download {
    const { status, headers } = download;
    const [, first, last, total] =
      /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? [];
    const isRange =
      status === 206 &&
      Number(first) === offset &&
      Number(last) === offset + length - 1 &&
      Number(total) === this.bytes;
    const isWhole = status === 200 && offset === 0 && length === this.bytes && sizeOf(headers) === this.bytes;
    if (isRange || isWhole) return download;
    download.body.destroy();
    throw new HubError(
      422,
      undefined,
      `GET ${this.url.pathname}: answered with other bytes than ${offset} to ${offset + length - 1} of ${this.bytes}.`,
    );
  }

  #broken(reason: string, cause?: unknown): HubError {
    return new HubError(0, undefined, `GET ${this.url.pathname}: ${reason}`, undefined, { cause });
  }
}

function sizeOf(headers: Download['headers']): number {
  return Number(headers['content-length'] ?? Number.NaN);
}
