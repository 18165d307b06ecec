import { EngineError } from '../errors.js';
import type { Pointer } from '../kernels/kernels.js';
import {
  BLOCK_ELEMENTS,
  type Block,
  blockElements,
  type Fill,
  type Gatherer,
  isComplete,
  type MergeOperation,
  type Statistic,
  walkOf,
} from '../methods/method.js';
import { methodOf } from '../methods/registry.js';
import { ChunkWriter } from './chunk-writer.js';
import {
  type Chunk,
  decodeInput,
  type Input,
  inPieces,
  isBrain,
  partOf,
  type Span,
  spansOf,
  storedBlock,
  unwatched,
} from './chunks.js';
import { SCRATCH_BYTES, type Convert, decoder, elementBytes, encoder } from './codec.js';
import { BlockObserver } from '../report/block-observer.js';
import { SAMPLED_BLOCKS } from '../report/report-mode.js';
import { SpecialCounter } from '../report/special-values.js';
import type { RangeReport } from '../report/tensor-report.js';
import type { OpenFiles } from './file-access.js';
import type { BlockRange, Destination, Task, TaskResult, WorkerSetup } from './task.js';
import type { Arena } from './workspace.js';

/** The apply pass has no sums, so its blocks can be smaller than the canonical ones: these stay in the fastest cache. */
const APPLY_ELEMENTS = 2048;
/** What a method that treats every element for itself is given at once, as it is stored: the second cache holds it. */
const POINTWISE_ELEMENTS = 4 * BLOCK_ELEMENTS;

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
        return { id: task.id, statistics: [], report: this.copy(task) };
      case 'gather':
        return { id: task.id, statistics: [this.gather(task.operation, task.pass, task.found, task.range)] };
      case 'look':
        return { id: task.id, statistics: [], report: this.look(task) };
      case 'apply':
        return { id: task.id, statistics: [], report: this.apply(task) };
      case 'whole':
        return { id: task.id, ...this.whole(task.operation, task.destination) };
    }
  }

  private gather(operation: MergeOperation, pass: number, found: Statistic[], range: BlockRange): Statistic {
    const method = methodOf(operation);
    const size = blockElements(operation, method);
    const gatherer = method.gather(operation, pass, found, this.arena.workspace(operation.work), range.index);
    const walk = walkOf(operation, method, found);
    const chunk = this.chunkElements(operation, size);
    const inputs = this.openInputs(operation, size, chunk);
    this.eachChunk(spansOf(operation, range, size, walk), chunk, (first, count) => {
      for (const input of inputs) this.load(input, first, count, input.raw);
      this.gatherChunk({ inputs, first, count, ...walk, skip: 0 }, gatherer);
    });
    return withoutViews(gatherer.partial(), this.arena.memory);
  }

  private apply({ operation, found, range, destination }: Task & { step: 'apply' }): RangeReport {
    const method = methodOf(operation);
    const size = blockElements(operation, method);
    const fill = method.apply(operation, found, range.index, this.arena.workspace(operation.work));
    const chunk = this.chunkElements(operation, size);
    const inputs = this.openInputs(operation, size, chunk);
    const output = this.openOutput(operation, destination, fill, inputs, chunk);
    this.eachChunk(spansOf(operation, range, size), chunk, (first, count) => {
      for (const input of inputs) this.load(input, first, count, input.raw);
      this.fillChunk({ inputs, first, count, size, stride: size, skip: 0 }, output);
      this.store(destination, output, first, count);
    });
    output.writer.flush();
    return reportOf(output);
  }

  /** Reads the blocks that the report looks at, and no others. */
  private look({ operation, range }: Task & { step: 'look' }): RangeReport {
    const { report } = this.setup;
    const size = blockElements(operation, methodOf(operation));
    const inputs = this.openInputs(operation, size, size);
    const observer = BlockObserver.of(this.arena, operation, { size, part: size }, report, false);
    const special = { nan: 0, infinite: 0 };
    if (observer === undefined) return { special };
    const section = { size, stride: size * (report === 'full' ? 1 : SAMPLED_BLOCKS) };
    this.eachChunk(spansOf(operation, range, size, { size, stride: size, section }), size, (first, count) => {
      for (const input of inputs) this.load(input, first, count, input.raw);
      observer.see(first, count, (input, target) => decodeInput(inputs[input], 0, target, count), 0);
    });
    return { special, blocks: observer.report() };
  }

  /** All passes over a tensor that stays in memory: its bytes are read by the first pass that needs all of them. */
  private whole(operation: MergeOperation, destination: Destination): Omit<TaskResult, 'id'> {
    const method = methodOf(operation);
    const workspace = { ...this.arena.workspace(operation.work), kept: new Map<number, Pointer>() };
    const size = blockElements(operation, method);
    const range = { index: 0, firstBlock: 0, blocks: Math.ceil(operation.elements / size) };
    const chunk = this.chunkElements(operation, size);
    const inputs = this.openInputs(operation, size, operation.elements);
    const found: Statistic[] = [];
    let isLoaded = false;
    const load = (first: number, count: number): void => {
      if (!isLoaded) for (const input of inputs) this.load(input, first, count, input.raw + first * input.elementBytes);
    };
    while (!isComplete(operation, method, found)) {
      const pass = found.length;
      const gatherer = method.gather(operation, pass, found, workspace, 0);
      const walk = walkOf(operation, method, found);
      this.eachChunk(spansOf(operation, range, size, walk), chunk, (first, count) => {
        load(first, count);
        this.gatherChunk({ inputs, first, count, ...walk, skip: first }, gatherer);
      });
      isLoaded ||= walk.section === undefined;
      found.push(method.combine(operation, pass, found, [gatherer.partial()], workspace));
    }
    const fill = method.apply(operation, found, 0, workspace);
    const output = this.openOutput(operation, destination, fill, inputs, chunk);
    this.eachChunk(spansOf(operation, range, size), chunk, (first, count) => {
      load(first, count);
      this.fillChunk({ inputs, first, count, size, stride: size, skip: first }, output);
      this.store(destination, output, first, count);
    });
    output.writer.flush();
    return { statistics: found, report: reportOf(output) };
  }

  private copy(task: Task & { step: 'copy' }): RangeReport {
    // Whole elements of any dtype.
    const chunk = Math.floor(Math.max(this.setup.chunkBytes, 65_536) / 8) * 8;
    const special = new SpecialCounter(this.arena, task.tensor, task.destination.dtype, this.setup.allowNan);
    const writer = this.writer(chunk);
    const twin = this.arena.reserve(task.operation.twins.length > 0 ? chunk : 0);
    for (let done = 0; done < task.bytes; done += chunk) {
      this.checkStop();
      const bytes = Math.min(chunk, task.bytes - done);
      const at = task.from + done;
      const source = new Uint8Array(this.arena.memory.buffer, writer.target, bytes);
      this.files.read(this.path(task.operation.source), source, task.operation.source.offset + at);
      for (const other of task.operation.twins) {
        const compared = new Uint8Array(this.arena.memory.buffer, twin, bytes);
        this.files.read(this.path(other), compared, other.offset + at);
        if (Buffer.compare(source, compared) !== 0) {
          const message = `${task.tensor} is not floating point and differs between the models`;
          throw new EngineError('buffer_differs', message, { tensor: task.tensor });
        }
      }
      special.look(writer.target, bytes / elementBytes(task.destination.dtype));
      special.check();
      writer.put(task.destination.path, task.destination.offset + at, bytes);
      this.countRead(bytes * (1 + task.operation.twins.length));
    }
    writer.flush();
    return { special: special.found };
  }

  /** Whole blocks: a chunk's size changes how often is read, never what is computed. */
  private chunkElements(operation: MergeOperation, size: number): number {
    const widest = Math.max(...operation.inputs.map((slice) => elementBytes(slice.dtype)));
    return size * Math.max(1, Math.floor(this.setup.chunkBytes / (widest * size)));
  }

  private openInputs(operation: MergeOperation, size: number, rawElements: number): Input[] {
    const { kernels, memory } = this.arena;
    const scratch = this.arena.reserve(SCRATCH_BYTES);
    return operation.inputs.map((slice) => {
      const bytes = elementBytes(slice.dtype);
      return {
        path: this.path(slice),
        offset: slice.offset,
        elementBytes: bytes,
        raw: this.arena.reserve(Math.min(rawElements, operation.elements) * bytes),
        decoded: this.arena.reserve(size * 8),
        decodedBytes: operation.work === 'F32' ? 4 : 8,
        decode: decoder(kernels, memory, slice.dtype, operation.cast, scratch),
        isBrain: slice.dtype === 'BF16' && (operation.cast === 'BF16' || operation.cast === 'F32'),
      };
    });
  }

  private openOutput(
    operation: MergeOperation,
    destination: Destination,
    fill: Fill,
    inputs: readonly Input[],
    chunk: number,
  ): Output {
    const method = methodOf(operation);
    const size = blockElements(operation, method);
    const stored = destination.dtype === 'BF16' && inputs.every(isBrain) ? fill.stored : undefined;
    // Where only the report's blocks are decoded, they are one step each.
    const part = method.byRows === true || stored !== undefined ? size : APPLY_ELEMENTS;
    const bytes = elementBytes(destination.dtype);
    const scratch = this.arena.reserve(SCRATCH_BYTES);
    return {
      elementBytes: bytes,
      fill,
      stored,
      most: fill.isPointwise === true ? POINTWISE_ELEMENTS : size,
      part,
      workBytes: operation.work === 'F32' ? 4 : 8,
      work: this.arena.reserve(part * 8),
      writer: this.writer(chunk * bytes),
      encode: encoder(this.arena.kernels, operation.work, destination.dtype, scratch),
      special: new SpecialCounter(this.arena, operation.tensor, destination.dtype, this.setup.allowNan),
      observer: BlockObserver.of(this.arena, operation, { size, part }, this.setup.report),
    };
  }

  /** Calls back with the first element and the number of elements of every chunk. */
  private eachChunk(spans: Iterable<Span>, chunk: number, visit: (first: number, count: number) => void): void {
    for (const { from, to } of spans) {
      for (let first = from; first < to; first += chunk) {
        this.checkStop();
        visit(first, Math.min(chunk, to - first));
      }
    }
  }

  /** Decodes block after block of what was loaded. */
  private eachBlock(chunk: Chunk, output: Pointer, visit: (block: Block, at: number) => void): void {
    const pointers = chunk.inputs.map((input) => input.decoded);
    for (let at = 0; at < chunk.count; at += chunk.stride) {
      const count = Math.min(chunk.size, chunk.count - at);
      for (const input of chunk.inputs) decodeInput(input, chunk.skip + at, input.decoded, count);
      visit({ first: chunk.first + at, count, inputs: pointers, output }, at);
    }
  }

  /** One chunk of a statistics pass. */
  private gatherChunk(chunk: Chunk, gatherer: Gatherer): void {
    const { stored, pieces, isPointwise } = gatherer;
    if (stored === undefined || !chunk.inputs.every(isBrain)) {
      return this.eachBlock(chunk, 0, (block) => gatherer.block(block));
    }
    const all = { ...storedBlock(chunk, 0, 0), count: chunk.count };
    if (isPointwise === true && chunk.stride === chunk.size) return stored(all);
    if (pieces !== undefined) return pieces(all, chunk.size, chunk.stride);
    for (let at = 0; at < chunk.count; at += chunk.stride) stored(storedBlock(chunk, at, 0));
  }

  /** The apply pass over one chunk, into the chunk's output buffer. */
  private fillChunk(chunk: Chunk, output: Output): void {
    const { stored, most, part } = output;
    for (let at = 0; at < chunk.count;) {
      const target = output.writer.target + at * output.elementBytes;
      const run = stored === undefined ? 0 : unwatched(chunk, at, most, output.observer);
      const count = run > 0 ? run : Math.min(chunk.size, chunk.count - at);
      if (run > 0) stored?.({ ...storedBlock(chunk, at, target), count });
      else this.fillDecoded(partOf(chunk, at, count, part), output, target);
      // While it is still in the cache.
      output.special.look(target, count);
      at += count;
    }
  }

  /** Decodes, computes and encodes, in steps that stay in the fastest cache. */
  private fillDecoded(chunk: Chunk, output: Output, target: Pointer): void {
    const { fill, observer, work } = output;
    const isWatched = observer?.watches(chunk.first) === true;
    this.eachBlock(chunk, work, (block, at) => {
      fill(block);
      if (isWatched) {
        // From what is stored: the method may have overwritten what was decoded for it.
        const decode = (input: number, copy: Pointer): void =>
          decodeInput(chunk.inputs[input], chunk.skip + at, copy, block.count);
        observer.see(block.first, block.count, decode, work);
      }
      inPieces(block.count, (from, n) => {
        output.encode(work + from * output.workBytes, target + (at + from) * output.elementBytes, n);
      });
    });
  }

  private load(input: Input, first: number, count: number, target: Pointer): void {
    const bytes = count * input.elementBytes;
    const view = new Uint8Array(this.arena.memory.buffer, target, bytes);
    this.files.read(input.path, view, input.offset + first * input.elementBytes);
    this.countRead(bytes);
  }

  private store(destination: Destination, output: Output, first: number, count: number): void {
    output.special.check();
    const position = destination.offset + first * output.elementBytes;
    output.writer.put(destination.path, position, count * output.elementBytes);
  }

  private path(slice: { input: number; file: string }): string {
    const path = this.setup.paths[slice.input]?.[slice.file];
    if (path === undefined) throw new EngineError('file_missing', `no path is known for ${slice.file}`);
    return path;
  }

  private writer(chunkBytes: number): ChunkWriter {
    return new ChunkWriter(this.setup, this.arena, this.files, chunkBytes);
  }

  private countRead(bytes: number): void {
    Atomics.add(this.progress, 0, BigInt(bytes));
  }

  private checkStop(): void {
    if (Atomics.load(this.stop, 0) !== 0) throw new EngineError('merge_cancelled', 'the merge was cancelled');
  }
}

interface Output {
  elementBytes: number;
  fill: Fill;
  /** `fill` for bf16 throughout, and how many elements it is given at once. */
  stored: Fill['stored'];
  most: number;
  /** Elements that are decoded at once. */
  part: number;
  workBytes: number;
  work: Pointer;
  writer: ChunkWriter;
  encode: Convert;
  special: SpecialCounter;
  observer: BlockObserver | undefined;
}

function reportOf({ special, observer }: Output): RangeReport {
  return { special: special.found, ...(observer && { blocks: observer.report() }) };
}

/** A message would carry the whole memory along with a view of it. */
function withoutViews(statistic: Statistic, memory: WebAssembly.Memory): Statistic {
  const copy = (value: Statistic[string]): Statistic[string] =>
    ArrayBuffer.isView(value) && value.buffer === memory.buffer ? value.slice() : value;
  return Object.fromEntries(Object.entries(statistic).map(([key, value]) => [key, copy(value)]));
}
