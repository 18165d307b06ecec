import type { Arena } from '../execution/workspace.js';
import type { Pointer } from '../kernels/kernels.js';
import type { MergeOperation } from '../methods/method.js';
import { looksAt, type ReportMode } from './report-mode.js';
import type { RangeReport } from './tensor-report.js';

/** Decodes elements of an input, as it is stored, into the work dtype. */
export type DecodeInput = (input: number, target: Pointer) => void;

/**
 * Watches the apply pass over a range: of every block that the report looks at, the task vectors and the result that the
 * method made of them, before it is rounded. Sums in f64.
 */
export class BlockObserver {
  private readonly gram: number[] = [];
  private readonly counts: Omit<NonNullable<RangeReport['blocks']>, 'gram'>;
  private readonly models: number;
  private readonly inputs: readonly Pointer[];
  /** The addresses of `inputs`. */
  private readonly table: Pointer;
  private readonly scratch: Pointer;
  private readonly target: Pointer;

  private constructor(
    private readonly arena: Arena,
    private readonly operation: MergeOperation,
    /** Elements of a block. */
    private readonly size: number,
    private readonly mode: ReportMode,
    part: number,
    private readonly hasResult: boolean,
  ) {
    const { inputs, hasBase } = operation;
    const models = inputs.slice(hasBase ? 1 : 0).map(({ input }) => input);
    this.models = models.length;
    this.inputs = inputs.map(() => arena.reserve(part * 8));
    this.table = arena.reserve(inputs.length * 4);
    new Uint32Array(arena.memory.buffer, this.table, inputs.length).set(this.inputs);
    this.scratch = arena.reserve((models.length + 2) * PIECE_BYTES);
    this.target = arena.reserve(this.targetBytes);
    const none = models.map(() => 0);
    this.counts = {
      reference: hasBase ? 'base' : 'mean',
      models,
      ...{ seen: 0, contested: 0, conflicting: 0 },
      ...(hasBase && hasResult && { nonZero: [...none], kept: [...none] }),
    };
  }

  /**
   * @param size elements of a block
   * @param part elements of which it is told at once, at most
   * @param hasResult the merge is carried out
   * @returns nothing where there is nothing to compare
   */
  static of(
    arena: Arena,
    operation: MergeOperation,
    { size, part }: { size: number; part: number },
    mode: ReportMode,
    hasResult = true,
  ): BlockObserver | undefined {
    if (mode === 'none' || operation.inputs.length < 2) return undefined;
    return new BlockObserver(arena, operation, size, mode, part, hasResult);
  }

  /** Whether the report looks at the block that has this element. */
  watches(element: number): boolean {
    return looksAt(this.mode, Math.floor(element / this.size));
  }

  /**
   * A part of a watched block, from its beginning on: `count` elements from `first`.
   * @param output the method's result in the work dtype, where there is one
   */
  see(first: number, count: number, decode: DecodeInput, output: Pointer): void {
    const { arena, operation, target, models } = this;
    if (first % this.size === 0) new Uint8Array(arena.memory.buffer, target, this.targetBytes).fill(0);
    this.inputs.forEach((at, input) => decode(input, at));
    const observe = operation.work === 'F32' ? arena.kernels.observeF32 : arena.kernels.observeF64;
    const result = this.hasResult && operation.hasBase ? output : 0;
    observe(this.table, models, operation.hasBase ? 1 : 0, result, this.scratch, target, count);
    this.counts.seen += count;
    if ((first + count) % this.size === 0 || first + count === operation.elements) this.finishBlock();
  }

  report(): NonNullable<RangeReport['blocks']> {
    return { ...this.counts, gram: Float64Array.from(this.gram) };
  }

  private get products(): number {
    return (this.models * (this.models + 1)) / 2;
  }

  /** The products, then two counts of the block and two of each model. */
  private get targetBytes(): number {
    return (this.products + 1 + this.models) * 8;
  }

  private finishBlock(): void {
    const { counts, target, products, models } = this;
    const { buffer } = this.arena.memory;
    this.gram.push(...new Float64Array(buffer, target, products));
    const [contested = 0, conflicting = 0, ...each] = new Uint32Array(buffer, target + products * 8, 2 * (models + 1));
    counts.contested += contested;
    counts.conflicting += conflicting;
    each.forEach((count, at) => {
      const list = at % 2 === 0 ? counts.nonZero : counts.kept;
      if (list !== undefined) list[at >> 1] = (list[at >> 1] ?? 0) + count;
    });
  }
}

/** The kernel's scratch for each model, and for the reference and the result. */
const PIECE_BYTES = 256 * 8;
