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
 * Cuts a stream into parts and sends each to the store. Holds one part in memory; what it reports as received is
 * stored for good.
 */
export class PartWriter {
  readonly #buffer: Buffer;
  #filled = 0;

  /** @param saved is called after every stored part; a throw ends the writing */
  constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private state: PartState,
    partBytes: number,
    private readonly saved: (state: PartState) => Promise<unknown>,
  ) {
    this.#buffer = Buffer.allocUnsafeSlow(partBytes);
  }

  get received(): number {
    return this.state.received;
  }

  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(this.#buffer, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.#buffer.length) await this.#flush();
    }
  }

  /** Stores what is left. Unless it is the file's end, a rest that is too small for a part is forgotten. */
  async end({ isFileEnd }: { isFileEnd: boolean }): Promise<PartState> {
    if (this.#filled >= minPartBytes || (isFileEnd && this.#filled > 0)) await this.#flush();
    return this.state;
  }

  async #flush(): Promise<void> {
    const { multipartId, parts, received } = this.state;
    const number = parts.length + 1;
    const bytes = this.#buffer.subarray(0, this.#filled);
    const tag = await this.store.putPart(this.key, multipartId, number, bytes);
    this.state = { multipartId, parts: [...parts, { number, tag }], received: received + this.#filled };
    this.#filled = 0;
    await this.saved(this.state);
  }
}
