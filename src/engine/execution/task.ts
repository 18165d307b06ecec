import type { Dtype } from '../checkpoint/dtype.js';
import type { MergeOperation, Statistic, TensorSlice } from '../methods/method.js';
import type { ReportMode } from '../report/report-mode.js';
import type { RangeReport } from '../report/tensor-report.js';

/** A run of canonical blocks of one tensor. */
export interface BlockRange {
  /** Position among the ranges of the tensor. */
  index: number;
  firstBlock: number;
  blocks: number;
}

/** Where a tensor's result goes. */
export interface Destination {
  path: string;
  /** Byte of the tensor's first element in the file. */
  offset: number;
  dtype: Dtype;
}

/** Bytes to copy as they are. The copies in `twins` must hold the same bytes (buffers that are not floating point). */
export interface CopyOperation {
  kind: 'copy';
  source: TensorSlice;
  twins: TensorSlice[];
}

/** Everything that an operation reads. */
export function slicesOf(operation: MergeOperation | CopyOperation): TensorSlice[] {
  if (operation.kind === 'copy') return [operation.source, ...operation.twins];
  return [...operation.inputs, ...(operation.coefficients ?? [])];
}

/**
 * What a thread does next:
 * - `whole`: every pass of a tensor whose inputs fit the thread's memory, so that each byte is read once;
 * - `gather`: one statistics pass over a range;
 * - `apply`: the apply pass over a range;
 * - `copy`: a byte copy;
 * - `look`: no merge, only what the report has to say about the inputs.
 */
export type Task = { id: number; tensor: string } & (
  | { step: 'whole'; operation: MergeOperation; destination: Destination }
  | { step: 'gather'; operation: MergeOperation; pass: number; found: Statistic[]; range: BlockRange }
  | { step: 'apply'; operation: MergeOperation; found: Statistic[]; range: BlockRange; destination: Destination }
  | { step: 'look'; operation: MergeOperation; range: BlockRange }
  | { step: 'copy'; operation: CopyOperation; destination: Destination; from: number; bytes: number }
);

/** What a thread answers about a task: the range's partial statistic, or all statistics of a whole tensor. */
export interface TaskResult {
  id: number;
  statistics: Statistic[];
  /** Of what was written. */
  report?: RangeReport;
}

export interface WorkerSetup {
  kernels: WebAssembly.Module;
  /** Path of every input file, by input and file name. */
  paths: Record<string, string>[];
  chunkBytes: number;
  report: ReportMode;
  /** NaN may be written. */
  allowNan: boolean;
  /** BigInt64: bytes read, bytes written, by all threads. */
  progress: SharedArrayBuffer;
  /** Int32: threads that are writing now. */
  writing: SharedArrayBuffer;
  /** Int32: 1 asks every thread to stop at the next chunk. */
  stop: SharedArrayBuffer;
}

/** A thread's life: a merge begins, batches of its tasks, it is finished; and again. */
export type WorkerMessage = WorkerSetup | Task[] | 'finish';

export type WorkerAnswer =
  | { kind: 'ready' }
  | { kind: 'finished' }
  | { kind: 'done'; results: TaskResult[] }
  | { kind: 'failed'; code: string | undefined; message: string; tensor: string; stack: string | undefined };
