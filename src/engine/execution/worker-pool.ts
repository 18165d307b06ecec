import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { EngineError, type EngineErrorCode } from '../errors.js';
import type { MergeThreads } from './merge-threads.js';
import type { Task, TaskResult, WorkerAnswer, WorkerSetup } from './task.js';

/** A thread gets its next batch before it has finished this one, so that it never waits for a message. */
const BATCHES_AHEAD = 2;

/** Threads that pull batches of tasks until there are none and the owner closes them. */
export class WorkerPool {
  /** When every thread has loaded its programs; rejected when one cannot. */
  readonly ready: Promise<void>;
  private readonly workers: { worker: Worker; waiting: number }[];

  /**
   * @param pull the next batch, or an empty one when nothing can be done now; `wake` asks again
   */
  constructor(
    setup: WorkerSetup,
    threads: MergeThreads,
    private readonly pull: () => Task[],
    private readonly onResults: (results: TaskResult[]) => void,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.workers = threads.take().map((worker) => {
      worker.postMessage(setup);
      const entry = { worker, waiting: 0 };
      worker.on('message', (answer: WorkerAnswer) => this.receive(entry, answer));
      worker.on('error', (error) => this.onFailure(error));
      return entry;
    });
    // What a thread says first is that it is ready.
    const each = this.workers.map(({ worker }) => once(worker, 'message'));
    this.ready = Promise.all(each).then(() => undefined);
    // Whoever waits for it hears of a failure; nobody has to.
    this.ready.catch(() => undefined);
  }

  /** Offers work to every thread that has room for it. */
  wake(): void {
    for (let ahead = 0; ahead < BATCHES_AHEAD; ahead++) {
      for (const entry of this.workers) {
        if (entry.waiting > ahead) continue;
        const batch = this.pull();
        if (batch.length === 0) return;
        entry.waiting++;
        entry.worker.postMessage(batch);
      }
    }
  }

  private receive(entry: { waiting: number }, answer: WorkerAnswer): void {
    if (answer.kind === 'ready') return;
    entry.waiting--;
    if (answer.kind === 'failed') {
      this.onFailure(revive(answer));
      return;
    }
    this.onResults(answer.results);
    this.wake();
  }

  /** Lets every thread close its files and end. */
  async close(): Promise<void> {
    await Promise.all(
      this.workers.map(
        ({ worker }) =>
          new Promise<void>((resolve) => {
            worker.once('exit', () => resolve());
            worker.postMessage('close');
          }),
      ),
    );
  }

  async terminate(): Promise<void> {
    await Promise.all(this.workers.map(({ worker }) => worker.terminate()));
  }
}

function revive(answer: WorkerAnswer & { kind: 'failed' }): Error {
  const code = answer.code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new EngineError('storage_full', `no space is left for the result (${code})`, { tensor: answer.tensor });
  }
  if (/^[a-z_]+$/.test(code)) {
    return new EngineError(code as EngineErrorCode, answer.message, { tensor: answer.tensor });
  }
  return Object.assign(new Error(`${answer.message} (tensor ${answer.tensor})`), { stack: answer.stack });
}
