import { Worker } from 'node:worker_threads';
import { builtUrl } from '../built.js';

/** How long threads wait for the next merge: with them goes the memory that they had for the last one. */
const IDLE_MILLISECONDS = 10_000;

/**
 * Threads of one program, for one merge after the other: to start a thread and to compile what it runs takes as long as to
 * merge a small model. Those that no merge has keep no process alive.
 */
export class KeptThreads {
  private idle: Worker[] = [];
  private idleEnd: NodeJS.Timeout | undefined;

  /**
   * @param program below src/engine
   * @param count how many are kept
   */
  constructor(
    private readonly program: string,
    private readonly count: number,
  ) {}

  /** Has as many as are kept load their program now. */
  start(): void {
    while (this.idle.length < this.count) this.giveBack(this.open());
  }

  /** One that is idle, or a new one. */
  take(): Worker {
    const worker = this.idle.pop() ?? this.open();
    worker.ref();
    return worker;
  }

  /** @param worker has nothing to do, and nobody listens to it any more */
  giveBack(worker: Worker): void {
    worker.unref();
    if (this.idle.length < this.count) this.idle.push(worker);
    else void worker.terminate();
    clearTimeout(this.idleEnd);
    this.idleEnd = setTimeout(() => void this.end(), IDLE_MILLISECONDS).unref();
  }

  /** Ends those that no merge has. */
  async end(): Promise<void> {
    clearTimeout(this.idleEnd);
    const workers = this.idle;
    this.idle = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  private open(): Worker {
    const worker = new Worker(builtUrl(this.program));
    // Whoever has taken it listens as well; of one that nobody has, the next merge takes another.
    return worker.on('error', () => (this.idle = this.idle.filter((other) => other !== worker)));
  }
}
