import type { PlanShard, PlanTensor } from '../plan/merge-plan.js';
import { blockElements, isComplete, type MergeOperation, type Statistic } from '../methods/method.js';
import { matricesOf } from '../methods/matrices.js';
import { methodOf } from '../methods/registry.js';
import { MOST_WAITING } from './chunk-writer.js';
import { elementBytes } from './codec.js';
import type { BlockRange, Destination, Task } from './task.js';

/** Inputs of one tensor up to this size stay in a thread's memory between passes. */
export const RESIDENT_BYTES = 48 * 1024 * 1024;
/** A range of the apply pass is about this much input: small enough to share evenly, large enough to be worth a message. */
const RANGE_BYTES = 16 * 1024 * 1024;

/** Omit that keeps the members of a union apart. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type NewTask = WithoutId<Task>;

/** A step of a tensor whose tasks may run side by side; the next step starts when all of them are done. */
export interface TensorJob {
  tensor: PlanTensor;
  /** Bytes that the tensor's tasks read, for balancing. */
  bytes: number;
  first(): NewTask[];
  /** Called with the results of a step, in range order. */
  next(partials: Statistic[]): NewTask[];
  /** Statistics gathered so far, one a pass. */
  found: Statistic[];
}

export type Combine = (operation: MergeOperation, pass: number, found: Statistic[], partials: Statistic[]) => Statistic;

/** How one tensor of a shard becomes tasks for `threads` threads. */
export function tensorJob(tensor: PlanTensor, path: string, threads: number, combine: Combine): TensorJob {
  const { operation } = tensor;
  const destination: Destination = { path, offset: tensor.offset, dtype: tensor.dtype };
  if (operation.kind === 'copy') {
    const bytes = tensor.bytes * (1 + operation.twins.length);
    const tasks = cut(tensor.bytes, RANGE_BYTES).map(({ from, size }): NewTask => {
      return { step: 'copy', tensor: tensor.name, operation, destination, from, bytes: size };
    });
    return { tensor, bytes, first: () => tasks, next: () => [], found: [] };
  }
  const matrices = matricesOf(operation);
  const bytes = tensor.bytes / matrices.length;
  const jobs = matrices.map((matrix, at) => {
    const own = { ...destination, offset: destination.offset + at * bytes };
    return mergeJob(tensor, matrix, own, threads, combine);
  });
  return jobs.length === 1 && jobs[0] !== undefined ? jobs[0] : inTurn(tensor, jobs);
}

/** One matrix after the other; meanwhile other threads work on other tensors. */
function inTurn(tensor: PlanTensor, jobs: readonly TensorJob[]): TensorJob {
  let current = 0;
  const found: Statistic[] = [];
  const start = (): NewTask[] => jobs[current]?.first() ?? [];
  return {
    tensor,
    bytes: jobs[0]?.bytes ?? 0,
    first: start,
    next: (partials) => {
      const job = jobs[current];
      const tasks = job?.next(partials) ?? [];
      if (job === undefined || tasks.length > 0) return tasks;
      found.push(...job.found);
      current++;
      return start();
    },
    found,
  };
}

function mergeJob(
  tensor: PlanTensor,
  operation: MergeOperation,
  destination: Destination,
  threads: number,
  combine: Combine,
): TensorJob {
  const bytes = operation.inputs.reduce((sum, slice) => sum + slice.bytes, 0);
  const method = methodOf(operation);
  const passes = method.passes(operation);
  const size = blockElements(operation, method);
  const found: Statistic[] = [];
  const name = tensor.name;
  const apply = (ranges: BlockRange[]): NewTask[] =>
    ranges.map((range) => ({ step: 'apply', tensor: name, operation, found, range, destination }));
  if (passes === 0) {
    const ranges = blockRanges(
      operation.elements,
      size,
      method.inOneRange === true ? 1 : Math.ceil(bytes / RANGE_BYTES),
    );
    return { tensor, bytes, first: () => apply(ranges), next: () => [], found };
  }
  if (bytes <= RESIDENT_BYTES) {
    const whole: NewTask = { step: 'whole', tensor: name, operation, destination };
    return { tensor, bytes, first: () => [whole], next: (all) => (found.push(...all), []), found };
  }
  // The ranges stay the same through all passes: a range's share of equal magnitudes was counted in that range.
  const ranges = blockRanges(operation.elements, size, method.inOneRange === true ? 1 : threads);
  const gather = (pass: number): NewTask[] =>
    ranges.map((range) => ({ step: 'gather', tensor: name, operation, pass, found: [...found], range }));
  return {
    tensor,
    bytes: bytes * (usualPasses(operation) + 1),
    first: () => gather(0),
    next: (partials) => {
      if (partials.length === 0) return [];
      found.push(combine(operation, found.length, found, partials));
      return isComplete(operation, method, found) ? apply(ranges) : gather(found.length);
    },
    found,
  };
}

/** Cuts a tensor into at most `count` runs of whole blocks of `size` elements. */
export function blockRanges(elements: number, size: number, count: number): BlockRange[] {
  const blocks = Math.ceil(elements / size);
  return cut(blocks, Math.max(1, Math.ceil(blocks / Math.max(1, count)))).map(({ from, size }, index) => ({
    index,
    firstBlock: from,
    blocks: size,
  }));
}

function cut(total: number, size: number): { from: number; size: number }[] {
  const pieces: { from: number; size: number }[] = [];
  for (let from = 0; from < total; from += size) pieces.push({ from, size: Math.min(size, total - from) });
  return pieces;
}

/** Bytes that merging these shards reads, passes included. */
export function readBytesOf(shards: readonly PlanShard[]): number {
  let total = 0;
  for (const shard of shards) {
    for (const { operation, bytes } of shard.tensors) {
      if (operation.kind === 'copy') {
        total += bytes * (1 + operation.twins.length);
        continue;
      }
      for (const matrix of matricesOf(operation)) {
        const once = matrix.inputs.reduce((sum, slice) => sum + slice.bytes, 0);
        total += once <= RESIDENT_BYTES ? once : once * (usualPasses(matrix) + 1);
      }
    }
  }
  return total;
}

function usualPasses(operation: MergeOperation): number {
  const method = methodOf(operation);
  return method.usualPasses?.(operation) ?? method.passes(operation);
}

/** Peak memory of a merging process: a bare Node process, and for each thread its buffers. */
export function memoryBytesOf(shards: readonly PlanShard[], threads: number, chunkBytes: number): number {
  let largest = 0;
  for (const shard of shards) {
    for (const { operation: whole } of shard.tensors) {
      if (whole.kind === 'copy') continue;
      const [operation = whole] = matricesOf(whole);
      const bytes = operation.inputs.reduce((sum, slice) => sum + slice.bytes, 0);
      const method = methodOf(operation);
      const size = blockElements(operation, method);
      const resident = method.passes(operation) > 0 && bytes <= RESIDENT_BYTES;
      const widest = Math.max(...operation.inputs.map((slice) => elementBytes(slice.dtype)));
      const chunks = operation.inputs.length * Math.max(chunkBytes, size * widest);
      // Twice: the merge report has buffers of its own.
      const decoded = 2 * (operation.inputs.length + 6) * size * 8;
      const counters = method.passes(operation) > 0 ? operation.inputs.length * COUNTERS_BYTES : 0;
      largest = Math.max(largest, (resident ? bytes : chunks) + chunkBytes * (MOST_WAITING + 2) + decoded + counters);
    }
  }
  return BARE_PROCESS_BYTES + threads * (largest + BARE_THREAD_BYTES);
}

/** Histograms of a selection: a sample's bins, and a window's keys. */
const COUNTERS_BYTES = 5 * 1024 * 1024;
const BARE_PROCESS_BYTES = 70 * 1024 * 1024;
const BARE_THREAD_BYTES = 16 * 1024 * 1024;
