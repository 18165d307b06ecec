import { EngineError } from '../errors.js';
import type { Pointer } from '../kernels/kernels.js';
import { BLOCK_ELEMENTS, type Block, type MergeOperation, type Statistic } from '../methods/method.js';
import { methodOf } from '../methods/registry.js';
import { SCRATCH_BYTES, type Convert, decoder, elementBytes, encoder } from './codec.js';
import type { OpenFiles } from './file-access.js';
import type { BlockRange, Destination, Task, TaskResult, WorkerSetup } from './task.js';
import type { Arena } from './workspace.js';

/** The apply pass has no sums, so its blocks can be smaller than the canonical ones: these stay in the fastest cache. */
const APPLY_ELEMENTS = 2048;

interface Input {
  path: string;
  offset: number;
  elementBytes: number;
  raw: Pointer;
  decoded: Pointer;
  decode: Convert;
}

/** Carries out tasks on one thread: reads into the kernels' memory, computes there, writes from there. */
export class TensorRunner {
  private readonly progress: BigInt64Array;
  private readonly stop: Int32Array;

  constructor(
    private readonly setup: WorkerSetup,
    private readonly arena: Arena,
    private readonly files: OpenFiles,
  ) {
    this.progress = new BigInt64Array(setup.progress);
    this.stop = new Int32Array(setup.stop);
  }

  run(task: Task): TaskResult {
    this.arena.reset();
    switch (task.step) {
      case 'copy':
        this.copy(task);
        return { id: task.id, statistics: [] };
      case 'gather':
        return { id: task.id, statistics: [this.gather(task.operation, task.pass, task.found, task.range)] };
      case 'apply':
        this.apply(task.operation, task.found, task.range, task.destination);
        return { id: task.id, statistics: [] };
      case 'whole':
        return { id: task.id, statistics: this.whole(task.operation, task.destination) };
    }
  }

  private gather(operation: MergeOperation, pass: number, found: Statistic[], range: BlockRange): Statistic {
    const workspace = this.arena.workspace(operation.work);
    const gatherer = methodOf(operation.method).gather(operation, pass, found, workspace);
    const chunkBlocks = this.chunkBlocks(operation);
    const inputs = this.openInputs(operation, chunkBlocks);
    this.eachChunk(operation, range, chunkBlocks, (first, count) => {
      for (const input of inputs) this.load(input, first, count, input.raw);
      this.eachBlock(inputs, count, BLOCK_ELEMENTS, 0, (block) => gatherer.block(block));
    });
    return gatherer.partial();
  }

  private apply(operation: MergeOperation, found: Statistic[], range: BlockRange, destination: Destination): void {
    const workspace = this.arena.workspace(operation.work);
    const fill = methodOf(operation.method).apply(operation, found, range.index, workspace);
    const chunkBlocks = this.chunkBlocks(operation);
    const inputs = this.openInputs(operation, chunkBlocks);
    const output = this.openOutput(operation, destination, chunkBlocks);
    this.eachChunk(operation, range, chunkBlocks, (first, count) => {
      for (const input of inputs) this.load(input, first, count, input.raw);
      this.eachBlock(inputs, count, APPLY_ELEMENTS, output.work, (block, at) => {
        fill(block);
        output.encode(output.work, output.raw + at * output.elementBytes, block.count);
      });
      this.store(destination, output, first, count);
    });
  }

  /** All passes over a tensor that stays in memory: its bytes are read during the first pass. */
  private whole(operation: MergeOperation, destination: Destination): Statistic[] {
    const method = methodOf(operation.method);
    const workspace = this.arena.workspace(operation.work);
    const range = { index: 0, firstBlock: 0, blocks: Math.ceil(operation.elements / BLOCK_ELEMENTS) };
    const chunkBlocks = this.chunkBlocks(operation);
    const inputs = this.openInputs(operation, range.blocks);
    const output = this.openOutput(operation, destination, chunkBlocks);
    const found: Statistic[] = [];
    let isLoaded = false;
    const load = (first: number, count: number): void => {
      if (!isLoaded) for (const input of inputs) this.load(input, first, count, input.raw + first * input.elementBytes);
    };
    for (let pass = 0; pass < method.passes(operation); pass++) {
      const gatherer = method.gather(operation, pass, found, workspace);
      this.eachChunk(operation, range, chunkBlocks, (first, count) => {
        load(first, count);
        this.eachBlock(inputs, count, BLOCK_ELEMENTS, 0, (block) => gatherer.block(block), first);
      });
      isLoaded = true;
      found.push(method.combine(operation, pass, found, [gatherer.partial()], workspace));
    }
    const fill = method.apply(operation, found, 0, workspace);
    this.eachChunk(operation, range, chunkBlocks, (first, count) => {
      load(first, count);
      const encodeBlock = (block: Block, at: number): void => {
        fill(block);
        output.encode(output.work, output.raw + at * output.elementBytes, block.count);
      };
      this.eachBlock(inputs, count, APPLY_ELEMENTS, output.work, encodeBlock, first);
      this.store(destination, output, first, count);
    });
    return found;
  }

  private copy(task: Task & { step: 'copy' }): void {
    const chunk = Math.max(this.setup.chunkBytes, 65_536);
    const raw = this.arena.reserve(chunk);
    const twin = this.arena.reserve(task.operation.twins.length > 0 ? chunk : 0);
    for (let done = 0; done < task.bytes; done += chunk) {
      this.checkStop();
      const bytes = Math.min(chunk, task.bytes - done);
      const at = task.from + done;
      const source = new Uint8Array(this.arena.memory.buffer, raw, bytes);
      this.files.read(this.path(task.operation.source), source, task.operation.source.offset + at);
      for (const other of task.operation.twins) {
        const compared = new Uint8Array(this.arena.memory.buffer, twin, bytes);
        this.files.read(this.path(other), compared, other.offset + at);
        if (Buffer.compare(source, compared) !== 0) {
          const message = `${task.tensor} is not floating point and differs between the models`;
          throw new EngineError('buffer_differs', message, { tensor: task.tensor });
        }
      }
      this.files.write(task.destination.path, source, task.destination.offset + at);
      this.count(bytes * (1 + task.operation.twins.length), bytes);
    }
  }

  private chunkBlocks(operation: MergeOperation): number {
    const widest = Math.max(...operation.inputs.map((slice) => elementBytes(slice.dtype)));
    return Math.max(1, Math.floor(this.setup.chunkBytes / (widest * BLOCK_ELEMENTS)));
  }

  private openInputs(operation: MergeOperation, rawBlocks: number): Input[] {
    const { kernels, memory } = this.arena;
    const scratch = this.arena.reserve(SCRATCH_BYTES);
    return operation.inputs.map((slice) => {
      const bytes = elementBytes(slice.dtype);
      return {
        path: this.path(slice),
        offset: slice.offset,
        elementBytes: bytes,
        raw: this.arena.reserve(Math.min(rawBlocks * BLOCK_ELEMENTS, operation.elements) * bytes),
        decoded: this.arena.reserve(BLOCK_ELEMENTS * 8),
        decode: decoder(kernels, memory, slice.dtype, operation.cast, scratch),
      };
    });
  }

  private openOutput(operation: MergeOperation, destination: Destination, chunkBlocks: number): Output {
    const bytes = elementBytes(destination.dtype);
    const scratch = this.arena.reserve(SCRATCH_BYTES);
    return {
      elementBytes: bytes,
      work: this.arena.reserve(BLOCK_ELEMENTS * 8),
      raw: this.arena.reserve(chunkBlocks * BLOCK_ELEMENTS * bytes),
      encode: encoder(this.arena.kernels, operation.work, destination.dtype, scratch),
    };
  }

  /** Calls back with the first element and the number of elements of every chunk of the range. */
  private eachChunk(
    operation: MergeOperation,
    range: BlockRange,
    chunkBlocks: number,
    visit: (first: number, count: number) => void,
  ): void {
    const end = Math.min((range.firstBlock + range.blocks) * BLOCK_ELEMENTS, operation.elements);
    const step = chunkBlocks * BLOCK_ELEMENTS;
    for (let first = range.firstBlock * BLOCK_ELEMENTS; first < end; first += step) {
      this.checkStop();
      visit(first, Math.min(step, end - first));
    }
  }

  /** Decodes block after block of what was loaded; `skip` elements lie before the chunk in the raw buffers. */
  private eachBlock(
    inputs: Input[],
    count: number,
    blockElements: number,
    output: Pointer,
    visit: (block: Block, at: number) => void,
    skip = 0,
  ): void {
    const pointers = inputs.map((input) => input.decoded);
    for (let at = 0; at < count; at += blockElements) {
      const n = Math.min(blockElements, count - at);
      for (const input of inputs) input.decode(input.raw + (skip + at) * input.elementBytes, input.decoded, n);
      visit({ count: n, inputs: pointers, output }, at);
    }
  }

  private load(input: Input, first: number, count: number, target: Pointer): void {
    const bytes = count * input.elementBytes;
    const view = new Uint8Array(this.arena.memory.buffer, target, bytes);
    this.files.read(input.path, view, input.offset + first * input.elementBytes);
    this.count(bytes, 0);
  }

  private store(destination: Destination, output: Output, first: number, count: number): void {
    const bytes = count * output.elementBytes;
    const view = new Uint8Array(this.arena.memory.buffer, output.raw, bytes);
    this.files.write(destination.path, view, destination.offset + first * output.elementBytes);
    this.count(0, bytes);
  }

  private path(slice: { input: number; file: string }): string {
    const path = this.setup.paths[slice.input]?.[slice.file];
    if (path === undefined) throw new EngineError('file_missing', `no path is known for ${slice.file}`);
    return path;
  }

  private count(read: number, written: number): void {
    Atomics.add(this.progress, 0, BigInt(read));
    Atomics.add(this.progress, 1, BigInt(written));
  }

  private checkStop(): void {
    if (Atomics.load(this.stop, 0) !== 0) throw new EngineError('merge_cancelled', 'the merge was cancelled');
  }
}

interface Output {
  elementBytes: number;
  work: Pointer;
  raw: Pointer;
  encode: Convert;
}
