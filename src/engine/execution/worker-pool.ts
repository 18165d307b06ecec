import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { EngineError, type EngineErrorCode } from '../errors.js';
import type { MergeThreads } from './merge-threads.js';
import type { Task, TaskResult, WorkerAnswer, WorkerMessage, WorkerSetup } from './task.js';

/** A thread gets its next batch before it has finished this one, so that it never waits for a message. */
const BATCHES_AHEAD = 2;

interface Entry {
  worker: Worker;
  waiting: number;
  onMessage(answer: WorkerAnswer): void;
}

/** The threads of one merge: they pull batches of tasks until there are none and the owner closes the pool. */
export class WorkerPool {
  /** When every thread has loaded its programs; rejected when one cannot. */
  readonly ready: Promise<void>;
  private readonly entries: Entry[];

  /**
   * @param pull the next batch, or an empty one when nothing can be done now; `wake` asks again
   */
  constructor(
    setup: WorkerSetup,
    private readonly threads: MergeThreads,
    private readonly pull: () => Task[],
    private readonly onResults: (results: TaskResult[]) => void,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.entries = Array.from({ length: threads.count }, () => {
      const worker = threads.merging.take();
      const entry: Entry = { worker, waiting: 0, onMessage: (answer) => this.receive(entry, answer) };
      worker.on('message', entry.onMessage).on('error', this.onFailure);
      return entry;
    });
    // What a thread answers first is that it is ready.
    this.ready = this.tell(setup);
    // Whoever waits for it hears of a failure; nobody has to.
    this.ready.catch(() => undefined);
  }

  /** Offers work to every thread that has room for it. */
  wake(): void {
    for (let ahead = 0; ahead < BATCHES_AHEAD; ahead++) {
      for (const entry of this.entries) {
        if (entry.waiting > ahead) continue;
        const batch = this.pull();
        if (batch.length === 0) return;
        entry.waiting++;
        entry.worker.postMessage(batch);
      }
    }
  }

  private receive(entry: { waiting: number }, answer: WorkerAnswer): void {
    if (answer.kind === 'ready' || answer.kind === 'finished') return;
    entry.waiting--;
    if (answer.kind === 'failed') {
      this.onFailure(revive(answer));
      return;
    }
    this.onResults(answer.results);
    this.wake();
  }

  /** Lets every thread close its files, and gives the threads back. */
  async close(): Promise<void> {
    await this.tell('finish');
    for (const { worker, onMessage } of this.entries) {
      this.threads.merging.giveBack(worker.off('message', onMessage).off('error', this.onFailure));
    }
  }

  async terminate(): Promise<void> {
    await Promise.all(this.entries.map(({ worker }) => worker.terminate()));
  }

  /** Says something to threads that have nothing to do. @returns when each has answered; rejected when one dies */
  private async tell(message: Exclude<WorkerMessage, Task[]>): Promise<void> {
    const answers = this.entries.map(({ worker }) => once(worker, 'message'));
    for (const { worker } of this.entries) worker.postMessage(message);
    await Promise.all(answers);
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
