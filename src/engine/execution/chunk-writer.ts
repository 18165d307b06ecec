import type { Pointer } from '../kernels/kernels.js';
import type { OpenFiles } from './file-access.js';
import type { WorkerSetup } from './task.js';
import type { Arena } from './workspace.js';

/** Chunks that a thread keeps while another one writes. */
export const MOST_WAITING = 2;

/**
 * Chunks on their way to a shard. Two threads that write one file wait for each other in the kernel, and use their cores
 * up over it; so while another thread writes, this one computes on, and writes a little later.
 */
export class ChunkWriter {
  private readonly writing: Int32Array;
  private readonly progress: BigInt64Array;
  private readonly buffers: readonly Pointer[];
  private readonly waiting: { path: string; position: number; bytes: number }[] = [];

  constructor(
    setup: Pick<WorkerSetup, 'writing' | 'progress'>,
    private readonly arena: Arena,
    private readonly files: OpenFiles,
    chunkBytes: number,
  ) {
    this.writing = new Int32Array(setup.writing);
    this.progress = new BigInt64Array(setup.progress);
    this.buffers = Array.from({ length: MOST_WAITING + 1 }, () => arena.reserve(chunkBytes));
  }

  /** Where the next chunk has its place. */
  get target(): Pointer {
    return this.buffers[this.waiting.length] ?? 0;
  }

  /** Takes what is at `target`. */
  put(path: string, position: number, bytes: number): void {
    this.waiting.push({ path, position, bytes });
    if (this.waiting.length > MOST_WAITING || Atomics.load(this.writing, 0) === 0) this.flush();
  }

  /** Writes what still waits. */
  flush(): void {
    Atomics.add(this.writing, 0, 1);
    try {
      this.waiting.forEach(({ path, position, bytes }, at) => {
        const chunk = new Uint8Array(this.arena.memory.buffer, this.buffers[at], bytes);
        this.files.write(path, chunk, position);
        Atomics.add(this.progress, 1, BigInt(bytes));
      });
    } finally {
      Atomics.sub(this.writing, 0, 1);
    }
    this.waiting.length = 0;
  }
}
