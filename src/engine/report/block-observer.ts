import type { Arena } from '../execution/workspace.js';
import type { Pointer } from '../kernels/kernels.js';
import type { MergeOperation } from '../methods/method.js';
import { looksAt, type ReportMode } from './report-mode.js';
import type { RangeReport } from './tensor-report.js';

/** Decodes the first `count` elements of an input's block into the work dtype. */
export type DecodeInput = (input: number, target: Pointer, count: number) => void;

/**
 * Watches the apply pass over a range: of every block that the report looks at, the task vectors as they were before the
 * method touched them, and the result that it made of them. All in f64, in buffers of its own.
 */
export class BlockObserver {
  private readonly gram: number[] = [];
  private readonly counts: Omit<NonNullable<RangeReport['blocks']>, 'gram'>;
  /** Every input in f64; then, in the same place, the task vectors. */
  private readonly inputs: Pointer[];
  private readonly deltas: Pointer[];
  private readonly reference: Pointer;
  private readonly output: Pointer;
  private readonly decoded: Pointer;
  private readonly table: Pointer;
  private readonly target: Pointer;
  /** First and last element of the block that is being watched. */
  private from = 0;
  private to = 0;

  private constructor(
    private readonly arena: Arena,
    private readonly operation: MergeOperation,
    private readonly size: number,
    private readonly mode: ReportMode,
    hasResult: boolean,
  ) {
    const block = (): Pointer => arena.reserve(size * 8);
    const { hasBase } = operation;
    this.inputs = operation.inputs.map(block);
    this.reference = hasBase ? (this.inputs[0] ?? 0) : block();
    this.deltas = hasBase ? this.inputs.slice(1) : this.inputs;
    this.output = block();
    this.decoded = block();
    this.target = arena.reserve(3 * 8);
    this.table = arena.reserve(this.deltas.length * 4);
    new Uint32Array(arena.memory.buffer, this.table, this.deltas.length).set(this.deltas);
    const none = this.deltas.map(() => 0);
    this.counts = {
      reference: hasBase ? 'base' : 'mean',
      models: operation.inputs.slice(hasBase ? 1 : 0).map(({ input }) => input),
      ...{ seen: 0, contested: 0, conflicting: 0 },
      ...(hasBase && hasResult && { nonZero: [...none], kept: [...none] }),
    };
  }

  /**
   * @param size elements of a block
   * @param hasResult the merge is carried out, and `after` will be told its result
   * @returns nothing where there is nothing to compare
   */
  static of(
    arena: Arena,
    operation: MergeOperation,
    size: number,
    mode: ReportMode,
    hasResult = true,
  ): BlockObserver | undefined {
    if (mode === 'none' || operation.inputs.length < 2) return undefined;
    return new BlockObserver(arena, operation, size, mode, hasResult);
  }

  /** Whether the report looks at the block that begins with this element. */
  watches(first: number): boolean {
    return looksAt(this.mode, first / this.size);
  }

  /** Before the method works on elements from `first` on: forms the task vectors where a block begins. */
  before(first: number, decode: DecodeInput): void {
    const { operation, size } = this;
    if (first % size !== 0) return;
    this.from = this.to = first;
    if (!looksAt(this.mode, first / size)) return;
    this.to = Math.min(first + size, operation.elements);
    const count = this.to - first;
    this.inputs.forEach((target, input) => {
      const isSingle = operation.work === 'F32';
      decode(input, isSingle ? this.decoded : target, count);
      if (isSingle) this.arena.kernels.promote(this.decoded, target, count);
    });
    this.formDeltas(count);
  }

  /** After the method worked on `count` elements from `first` on. */
  after(first: number, count: number, output: Pointer): void {
    if (first >= this.to) return;
    const target = this.output + (first - this.from) * 8;
    if (this.operation.work === 'F32') this.arena.kernels.promote(output, target, count);
    else new Uint8Array(this.arena.memory.buffer).copyWithin(target, output, output + count * 8);
    if (first + count === this.to) this.look(this.to - this.from);
  }

  /** In place of `after` where there is no result. */
  withoutResult(): void {
    if (this.to > this.from) this.look(this.to - this.from);
  }

  report(): NonNullable<RangeReport['blocks']> {
    return { ...this.counts, gram: Float64Array.from(this.gram) };
  }

  private formDeltas(count: number): void {
    const { kernels } = this.arena;
    if (!this.operation.hasBase) {
      this.inputs.forEach((input, i) => {
        if (i === 0) kernels.scaleF64(this.reference, input, 1, count);
        else kernels.addF64(this.reference, input, count);
      });
      kernels.scaleF64(this.reference, this.reference, 1 / this.inputs.length, count);
    }
    for (const delta of this.deltas) kernels.subtractF64(delta, delta, this.reference, count);
  }

  private look(count: number): void {
    const { kernels } = this.arena;
    const { deltas, target, counts } = this;
    deltas.forEach((row, i) => {
      for (const [offset, column] of deltas.slice(i).entries()) {
        // Off the diagonal only the middle one of the three entries is news.
        kernels.gramF64(row, column, target, count);
        this.gram.push(this.numberAt(offset === 0 ? 0 : 1));
      }
    });
    kernels.countConflicts(this.table, deltas.length, target, count);
    const [contested, conflicting] = this.pair();
    counts.seen += count;
    counts.contested += contested;
    counts.conflicting += conflicting;
    deltas.forEach((delta, i) => {
      if (counts.nonZero === undefined || counts.kept === undefined) return;
      kernels.countKept(delta, this.reference, this.output, target, count);
      const [nonZero, kept] = this.pair();
      counts.nonZero[i] = (counts.nonZero[i] ?? 0) + nonZero;
      counts.kept[i] = (counts.kept[i] ?? 0) + kept;
    });
  }

  private numberAt(place: number): number {
    return new Float64Array(this.arena.memory.buffer, this.target, 3)[place] ?? 0;
  }

  private pair(): [number, number] {
    const [first = 0, second = 0] = new Uint32Array(this.arena.memory.buffer, this.target, 2);
    return [first, second];
  }
}
