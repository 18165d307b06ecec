import type { ObjectStore, UploadedPart } from '../storage/object-store.js';
import { minPartBytes } from './upload-range.js';

/** How far a file has come. */
export interface PartState {
  multipartId: string;
  parts: readonly UploadedPart[];
  /** Bytes in those parts. */
  received: number;
}

/**
 * Cuts a stream into parts and sends each to the store. Holds one part in memory, and none where the stream comes in
 * pieces of that very size; what it reports as received is stored for good.
 */
export class PartWriter {
  #buffer: Buffer | undefined;
  #filled = 0;

  /** @param saved is called after every stored part; a throw ends the writing */
  constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private state: PartState,
    private readonly partBytes: number,
    private readonly saved: (state: PartState) => Promise<unknown>,
  ) {}

  get received(): number {
    return this.state.received;
  }

  /** The chunk is the caller's again when this is done. */
  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#filled === 0 && chunk.length - at >= this.partBytes) {
        await this.#send(chunk.subarray(at, (at += this.partBytes)));
        continue;
      }
      this.#buffer ??= Buffer.allocUnsafeSlow(this.partBytes);
      const copied = chunk.copy(this.#buffer, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.partBytes) await this.#flush();
    }
  }

  /** Stores what is left. Unless it is the file's end, a rest that is too small for a part is forgotten. */
  async end({ isFileEnd }: { isFileEnd: boolean }): Promise<PartState> {
    if (this.#filled >= minPartBytes || (isFileEnd && this.#filled > 0)) await this.#flush();
    return this.state;
  }

  async #flush(): Promise<void> {
    if (!this.#buffer) return;
    await this.#send(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async #send(bytes: Buffer): Promise<void> {
    const { multipartId, parts, received } = this.state;
    const number = parts.length + 1;
    const tag = await this.store.putPart(this.key, multipartId, number, bytes);
    this.state = { multipartId, parts: [...parts, { number, tag }], received: received + bytes.length };
    await this.saved(this.state);
  }
}
