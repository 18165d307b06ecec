import { arithmeticOf } from '../kernels/arithmetic.js';
import { HEAP_START, type Kernels, type Pointer, type WorkDtype, instantiateKernels } from '../kernels/kernels.js';
import type { Workspace } from '../methods/method.js';

const PAGE_BYTES = 65_536;
/** Elementwise kernels may run 16 elements of 8 bytes past the end of a buffer. */
const PADDING_BYTES = 128;

/** The memory of one thread: a bump allocator that is emptied between tasks and only ever grows. */
export class Arena {
  readonly memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536 });
  readonly kernels: Kernels;
  private next = HEAP_START;

  constructor(module: WebAssembly.Module) {
    this.kernels = instantiateKernels(module, this.memory);
  }

  reset(): void {
    this.next = HEAP_START;
  }

  /** A 16-byte aligned buffer whose contents are whatever was there before. */
  reserve(bytes: number): Pointer {
    const pointer = this.next;
    this.next = Math.ceil((pointer + bytes + PADDING_BYTES) / 16) * 16;
    const missing = this.next - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return pointer;
  }

  workspace(work: WorkDtype): Workspace {
    return {
      kernels: this.kernels,
      arithmetic: arithmeticOf(this.kernels, work),
      memory: this.memory,
      reserve: (bytes) => this.reserve(bytes),
      allocate: (bytes) => {
        const pointer = this.reserve(bytes);
        new Uint8Array(this.memory.buffer, pointer, bytes).fill(0);
        return pointer;
      },
    };
  }
}
