import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtUrl } from '../built.js';

/**
 * Threads for one merge. They load their programs as soon as they are made, so whoever merges next makes them before it
 * plans. Those that no merge takes keep no process alive.
 */
export class MergeThreads {
  private workers: Worker[];
  private failure: Error | undefined;

  /** @param count one for each core by default */
  constructor(readonly count = availableParallelism()) {
    const url = builtUrl('execution/merge.worker.js');
    this.workers = Array.from({ length: count }, () => {
      const worker = new Worker(url);
      worker.unref();
      return worker.once('error', (error: Error) => (this.failure = error));
    });
  }

  get areTaken(): boolean {
    return this.workers.length === 0;
  }

  /** Whoever takes them ends them. @throws whatever one of them has failed with */
  take(): Worker[] {
    if (this.failure !== undefined) throw this.failure;
    const { workers } = this;
    this.workers = [];
    for (const worker of workers) worker.ref();
    return workers;
  }
}
