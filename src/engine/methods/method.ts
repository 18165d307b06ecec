import type { MethodName, Scalar, TensorRole } from '../../recipe/index.js';
import type { Dtype } from '../checkpoint/dtype.js';
import type { Arithmetic } from '../kernels/arithmetic.js';
import type { Kernels, Pointer, WorkDtype } from '../kernels/kernels.js';

/** Reductions run over canonical blocks of this many elements, counted from the tensor's start. */
export const BLOCK_ELEMENTS = 16_384;

/** Where a stored tensor lies: a byte range of a file of one of the plan's inputs. */
export interface TensorSlice {
  /** Index into the plan's inputs. */
  input: number;
  file: string;
  offset: number;
  bytes: number;
  dtype: Dtype;
}

/** Values of parameters, by name. */
export type Settings = Record<string, Scalar>;

/** One tensor to compute: what to read, in which precision, and the parameters that hold for it. */
export interface MergeOperation {
  kind: 'merge';
  method: MethodName;
  /** Name of the tensor in the result: with the seed it keys random masks. */
  tensor: string;
  seed: number;
  shape: number[];
  elements: number;
  /** The dtype to which inputs are rounded on load, and in which methods compute. */
  cast: Dtype;
  work: WorkDtype;
  /** The base comes first where there is one. */
  inputs: TensorSlice[];
  hasBase: boolean;
  /** Parameters of the method for this tensor. */
  settings: Settings;
  /** Parameters of each input, in the order of `inputs`. */
  inputSettings: Settings[];
  /** Of methods that ask for it: 0 in the result's first layer and outside the layers, 1 in its last. */
  depth?: number;
  /** Of methods that ask for it: what the tensor is for. */
  role?: TensorRole;
  /** Of methods that take them: where the coefficients of each input lie, as many as columns or one for all. */
  coefficients?: TensorSlice[];
}

/** What a pass found: plain data, so that it travels between threads and can be compared bit for bit. */
export type Statistic = Record<
  string,
  number | bigint | number[] | bigint[] | Float64Array | Float32Array | Uint32Array
>;

/**
 * Some elements of every input, decoded to the work dtype: a canonical block in a statistics pass, a part of one in the
 * apply pass, whole rows for a method that works by rows. A method may overwrite the inputs.
 */
export interface Block {
  /** Index of the block's first element in the tensor. */
  first: number;
  count: number;
  inputs: Pointer[];
  output: Pointer;
}

/** Fills `output` of each block. */
export interface Fill {
  (block: Block): void;
  /** The same, bit for bit, of inputs that are bf16 as they are stored, to bf16: for what a kernel does without decoding. */
  stored?: ((block: Block) => void) | undefined;
  /** `stored` treats every element for itself, and may be given several blocks at once. */
  isPointwise?: boolean | undefined;
}

/** The kernels and the buffers of one thread, for one operation. */
export interface Workspace {
  kernels: Kernels;
  arithmetic: Arithmetic;
  /** A zeroed, 16-byte aligned buffer that lives as long as the task. */
  allocate: (bytes: number) => Pointer;
  /** The same, holding whatever was there before. */
  reserve: (bytes: number) => Pointer;
  memory: WebAssembly.Memory;
  /**
   * Where one thread takes a tensor through all passes, a pass may leave here for the next ones what they would compute
   * again: addresses, by model. Elsewhere there is no such place.
   */
  kept?: Map<number, Pointer>;
  /** Reads a small tensor whole. */
  values: (slice: TensorSlice) => Float64Array;
}

/** How a statistics pass goes through a tensor: `size` elements from each multiple of `stride`. */
export interface Walk {
  size: number;
  stride: number;
  /** Only in the first `size` elements from each multiple of this `stride`; the rest is not even read. */
  section?: { size: number; stride: number };
}

/** A statistics pass over a contiguous range of blocks, in order. */
export interface Gatherer {
  block(block: Block): void;
  /** The same of inputs that are bf16 as they are stored. */
  stored?: ((block: Block) => void) | undefined;
  /** `stored` of pieces of a block: `size` elements from each multiple of `stride`. */
  pieces?: ((block: Block, size: number, stride: number) => void) | undefined;
  /** `stored` finds the same wherever a block ends (it counts, or adds row after row), and may be given many blocks at once. */
  isPointwise?: boolean | undefined;
  /** Arrays may be views of the workspace's memory: they are read before the next allocation. */
  partial(): Statistic;
}

/**
 * A merge method as streaming passes (ARCHITECTURE.md, "The engine"). Methods hold no state: what a pass finds is
 * returned, so any thread can continue with it.
 */
export interface Method {
  /** Blocks are made of whole rows (runs along the last dimension) instead of a fixed number of elements. */
  readonly byRows?: boolean;
  /** One thread goes through the whole tensor: for statistics of columns, whose sums would depend on the ranges. */
  readonly inOneRange?: boolean;
  /** How many statistics passes precede the apply pass, at most. */
  passes(operation: MergeOperation): number;
  /** How many of them usually read everything, where that differs. */
  usualPasses?(operation: MergeOperation): number;
  /** No further statistics pass is needed. Default: after all passes. */
  isComplete?(operation: MergeOperation, found: readonly Statistic[]): boolean;
  /** Where a pass looks. Default: canonical blocks, one after the other; anything else is for sums of integers. */
  walk?(operation: MergeOperation, found: readonly Statistic[]): Walk;
  /** @param range position of the range among those of the tensor, as in `apply` */
  gather(operation: MergeOperation, pass: number, found: Statistic[], workspace: Workspace, range: number): Gatherer;
  /** Joins the partial statistics of all ranges, in range order. */
  combine(
    operation: MergeOperation,
    pass: number,
    found: Statistic[],
    partials: Statistic[],
    workspace: Workspace,
  ): Statistic;
  /** The apply pass over one range. */
  apply(operation: MergeOperation, found: Statistic[], range: number, workspace: Workspace): Fill;
}

/** Elements of a row: the last dimension; a vector is one row. */
export function rowElements(operation: MergeOperation): number {
  return Math.max(1, operation.shape.at(-1) ?? 1);
}

/** Elements of the blocks in which a tensor is worked through. */
export function blockElements(operation: MergeOperation, method: Pick<Method, 'byRows'>): number {
  if (method.byRows !== true) return BLOCK_ELEMENTS;
  const row = rowElements(operation);
  return row * Math.max(1, Math.floor(BLOCK_ELEMENTS / row));
}

export function walkOf(operation: MergeOperation, method: Method, found: readonly Statistic[]): Walk {
  const size = blockElements(operation, method);
  return method.walk?.(operation, found) ?? { size, stride: size };
}

/** Whether the apply pass can begin. */
export function isComplete(operation: MergeOperation, method: Method, found: readonly Statistic[]): boolean {
  return found.length >= method.passes(operation) || method.isComplete?.(operation, found) === true;
}

export function numberSetting(settings: Settings, name: string): number {
  const value = settings[name];
  if (typeof value !== 'number') throw new TypeError(`the plan holds no number for ${name}`);
  return value;
}
