import { EventEmitter } from 'node:events';

/** How long a change made by another process may stay unseen; our own changes are seen at once. */
const pollMs = 1_000;

/** Who follows what, within this process: rows are the truth, this only saves waiting for the next look at them. */
export class Changes {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  announce(id: string): void {
    this.#emitter.emit(id);
  }

  /** @returns what ends it */
  onChange(id: string, callback: () => void): () => void {
    this.#emitter.on(id, callback);
    return () => this.#emitter.off(id, callback);
  }

  /**
   * Every event after `after`, as it happens, until the thing has ended and all is told.
   * @param endedAt the last event's number once it has ended; asked before the events are read, so that none is missed
   */
  async *follow<Event extends { seq: number }>(
    id: string,
    after: number,
    signal: AbortSignal,
    read: { endedAt: () => Promise<number | undefined>; list: (after: number) => Promise<readonly Event[]> },
  ): AsyncGenerator<Event> {
    let last = after;
    const bell = new Bell();
    const end = this.onChange(id, () => bell.ring());
    const stop = (): void => bell.ring();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const ended = await read.endedAt();
        for (const event of await read.list(last)) {
          yield event;
          last = event.seq;
        }
        if (ended !== undefined && last >= ended) return;
        await bell.wait(pollMs);
      }
    } finally {
      end();
      signal.removeEventListener('abort', stop);
    }
  }
}

/** A bell that remembers: a ring between two waits ends the next one at once. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(milliseconds: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}
