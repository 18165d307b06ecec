import { arithmeticOf } from '../kernels/arithmetic.js';
import { HEAP_START, type Kernels, type Pointer, type WorkDtype, instantiateKernels } from '../kernels/kernels.js';
import { BLOCK_ELEMENTS, type TensorSlice, type Workspace } from '../methods/method.js';
import { decoder, elementBytes, SCRATCH_BYTES } from './codec.js';

const PAGE_BYTES = 65_536;
/** Elementwise kernels may run 16 elements of 8 bytes past the end of a buffer. */
const PADDING_BYTES = 128;

/** The memory of one thread: a bump allocator that is emptied between tasks and only ever grows. */
export class Arena {
  readonly memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536 });
  readonly kernels: Kernels;
  private next = HEAP_START;

  /** @param read fills a buffer with a tensor's bytes; without it, no method of this thread can ask for values */
  constructor(
    module: WebAssembly.Module,
    private readonly read?: (slice: TensorSlice, target: Uint8Array) => void,
  ) {
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
      values: (slice) => this.values(slice),
    };
  }

  private values(slice: TensorSlice): Float64Array {
    if (this.read === undefined) throw new Error('this thread reads no files');
    const width = elementBytes(slice.dtype);
    const count = slice.bytes / width;
    const [raw, decoded] = [this.reserve(slice.bytes), this.reserve(BLOCK_ELEMENTS * 8)];
    const decode = decoder(this.kernels, this.memory, slice.dtype, 'F64', this.reserve(SCRATCH_BYTES));
    this.read(slice, new Uint8Array(this.memory.buffer, raw, slice.bytes));
    const values = new Float64Array(count);
    for (let at = 0; at < count; at += BLOCK_ELEMENTS) {
      const n = Math.min(BLOCK_ELEMENTS, count - at);
      decode(raw + at * width, decoded, n);
      values.set(new Float64Array(this.memory.buffer, decoded, n), at);
    }
    return values;
  }
}
