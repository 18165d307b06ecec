import type { Worker } from 'node:worker_threads';
import type { KeptThreads } from './kept-threads.js';

/** One file at a time, hashed on a thread of its own while it is being written. */
export class ShardDigest {
  private readonly worker: Worker;
  private failure: Error | undefined;
  /** Rejects who waits for a digest now. */
  private reject: (error: Error) => void = () => undefined;

  constructor(private readonly threads: KeptThreads) {
    this.worker = threads.take().on('error', this.fail);
  }

  /** Everything before `upTo` is written. */
  follow(path: string, upTo: number): void {
    this.worker.postMessage({ path, upTo, isLast: false });
  }

  /** SHA-256 of the whole file, hex. */
  async finish(path: string, bytes: number): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.reject = reject;
      this.worker.once('message', ({ sha256 }: { sha256: string }) => resolve(sha256));
      this.worker.postMessage({ path, upTo: bytes, isLast: true });
    });
  }

  /** Gives the thread back. Every file that was followed is finished. */
  close(): void {
    this.threads.giveBack(this.worker.off('error', this.fail));
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private readonly fail = (error: Error): void => {
    this.failure = error;
    this.reject(error);
  };
}
