import { Worker } from 'node:worker_threads';
import { builtUrl } from '../built.js';

/** One file at a time, hashed on a thread of its own while it is being written. */
export class ShardDigest {
  private readonly worker = new Worker(builtUrl('execution/shard-digest.worker.js'));

  /** Everything before `upTo` is written. */
  follow(path: string, upTo: number): void {
    this.worker.postMessage({ path, upTo, isLast: false });
  }

  /** SHA-256 of the whole file, hex. */
  async finish(path: string, bytes: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.worker.once('error', reject);
      this.worker.once('message', ({ sha256 }: { sha256: string }) => {
        this.worker.off('error', reject);
        resolve(sha256);
      });
      this.worker.postMessage({ path, upTo: bytes, isLast: true });
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}
