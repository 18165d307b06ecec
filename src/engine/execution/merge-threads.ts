import { availableParallelism } from 'node:os';
import { compileKernels } from '../kernels/kernels.js';
import { KeptThreads } from './kept-threads.js';

/** What merges need beside their plan, and hand on to each other: threads, and the kernels that these compute with. */
export class MergeThreads {
  readonly merging: KeptThreads;
  readonly hashing = new KeptThreads('execution/shard-digest.worker.js', 1);
  private compiled: WebAssembly.Module | undefined;

  /** @param count that compute; one for each core by default */
  constructor(readonly count = availableParallelism()) {
    this.merging = new KeptThreads('execution/merge.worker.js', count);
  }

  get kernels(): WebAssembly.Module {
    return (this.compiled ??= compileKernels());
  }

  /** Has those that compute load their programs now: whoever merges soon does so before it plans. */
  start(): this {
    this.merging.start();
    return this;
  }

  /** Ends those that no merge has, which happens by itself when none comes for a while. */
  async end(): Promise<void> {
    await Promise.all([this.merging.end(), this.hashing.end()]);
  }
}
