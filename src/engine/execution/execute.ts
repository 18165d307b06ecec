import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../errors.js';
import type { TensorSlice } from '../methods/method.js';
import { ENGINE_VERSION, type MergePlan } from '../plan/merge-plan.js';
import type { TensorReport } from '../report/tensor-report.js';
import { MergeThreads } from './merge-threads.js';
import { DEFAULT_CHUNK_BYTES, type ExecuteOptions, type MergeEvent } from './options.js';
import { ShardRun, type ShardContext } from './shard-run.js';
import { finishedShard, findShardReports, keepShardReports, prepareShard, publishShard } from './shard-file.js';
import { ShardDigest } from './shard-digest.js';
import { slicesOf, type WorkerSetup } from './task.js';

export interface ShardResult {
  shard: number;
  file: string;
  bytes: number;
  sha256?: string;
}

export interface MergeResult {
  shards: ShardResult[];
  /** Of every tensor, in the order of the shards. */
  reports: TensorReport[];
  readBytes: number;
  writtenBytes: number;
  /** From the first read to the last write, digests included where they were asked for. */
  seconds: number;
}

const PROGRESS_MILLISECONDS = 100;

/**
 * Carries out a plan, or some of its shards. The bytes written depend on the plan alone: not on threads, chunks,
 * machine, or on how often it was interrupted.
 *
 * @throws EngineError plan_outdated, merge_cancelled (the signal), input_changed, file_truncated, buffer_differs, nan_in_result, storage_full
 */
export async function execute(plan: MergePlan, options: ExecuteOptions): Promise<MergeResult> {
  if (plan.engine !== ENGINE_VERSION) {
    const message = `the plan is of engine ${plan.engine} and this is ${ENGINE_VERSION}: the result would have other bytes`;
    throw new EngineError('plan_outdated', message);
  }
  const shards = options.shards ?? plan.shards.map((_shard, index) => index);
  const inputs = await pinInputs(plan, shards, options);
  const threads = typeof options.threads === 'object' ? options.threads : new MergeThreads(options.threads);
  const context = openContext(plan, inputs.paths, threads, options);
  const total = shards.reduce((sum, index) => sum + (plan.shards[index]?.bytes ?? 0), 0);
  const timer = setInterval(() => options.onEvent?.(progressOf(context.setup, total)), PROGRESS_MILLISECONDS);
  const results: ShardResult[] = [];
  const reports: TensorReport[] = [];
  try {
    await context.pool.ready;
    const begun = performance.now();
    for (const index of shards) {
      const shard = await runShard(plan, index, options, context);
      results.push(shard.result);
      reports.push(...shard.reports);
    }
    await inputs.verifyUnchanged();
    const seconds = (performance.now() - begun) / 1000;
    await context.close();
    const { readBytes, writtenBytes } = progressOf(context.setup, total);
    options.onEvent?.({ type: 'progress', readBytes, writtenBytes: total, totalWriteBytes: total });
    return { shards: results, reports, readBytes, writtenBytes, seconds };
  } catch (error) {
    await context.abandon();
    throw error;
  } finally {
    clearInterval(timer);
    if (threads !== options.threads) await threads.end();
  }
}

async function runShard(
  plan: MergePlan,
  index: number,
  options: ExecuteOptions,
  context: ShardContext,
): Promise<{ result: ShardResult; reports: TensorReport[] }> {
  const shard = plan.shards[index];
  if (shard === undefined) throw new RangeError(`the plan has no shard ${index}`);
  const path = join(options.directory, shard.file);
  const kept = await findShardReports(options.reports, shard.file);
  const resumed = kept !== undefined && (await finishedShard(path, shard.bytes));
  let reports = kept ?? [];
  let sha256: string | undefined;
  if (resumed) {
    sha256 = await context.digest?.finish(path, shard.bytes);
  } else {
    const partial = await prepareShard(path, shard);
    const run = new ShardRun(context, shard, index, partial);
    sha256 = await run.run(options);
    reports = run.reports();
    await keepShardReports(options.reports, shard.file, reports);
    await publishShard(partial, path);
  }
  const result = { shard: index, file: shard.file, bytes: shard.bytes, ...(sha256 === undefined ? {} : { sha256 }) };
  options.onEvent?.({ type: 'shard', resumed, ...result });
  return { result, reports };
}

function openContext(
  plan: MergePlan,
  paths: Record<string, string>[],
  threads: MergeThreads,
  options: ExecuteOptions,
): ShardContext {
  const setup: WorkerSetup = {
    kernels: threads.kernels,
    paths,
    chunkBytes: options.chunkBytes ?? DEFAULT_CHUNK_BYTES,
    report: plan.report,
    allowNan: plan.allowNan,
    progress: new SharedArrayBuffer(16),
    writing: new SharedArrayBuffer(4),
    stop: new SharedArrayBuffer(4),
  };
  const digest = options.digests === false ? undefined : new ShardDigest(threads.hashing);
  return ShardRun.openContext(setup, threads, digest);
}

function progressOf(setup: WorkerSetup, total: number): MergeEvent & { type: 'progress' } {
  const counters = new BigInt64Array(setup.progress);
  const [readBytes, writtenBytes] = [Number(Atomics.load(counters, 0)), Number(Atomics.load(counters, 1))];
  return { type: 'progress', readBytes, writtenBytes, totalWriteBytes: total };
}

/** Notes size and time of every input file that will be read, so that a change during the merge is noticed. */
async function pinInputs(
  plan: MergePlan,
  shards: readonly number[],
  options: ExecuteOptions,
): Promise<{ paths: Record<string, string>[]; verifyUnchanged(): Promise<void> }> {
  const paths: Record<string, string>[] = plan.inputs.map(() => ({}));
  for (const { input, file } of slicesOfShards(plan, shards)) {
    const known = paths[input];
    if (known !== undefined && known[file] === undefined) known[file] = options.locate(input, file);
  }
  const all = [...new Set(paths.flatMap((files) => Object.values(files)))];
  const stamp = async (path: string): Promise<string> => {
    const { size, mtimeMs } = await stat(path);
    return `${size}:${mtimeMs}`;
  };
  const before = await Promise.all(all.map(stamp));
  const verifyUnchanged = async (): Promise<void> => {
    const after = await Promise.all(all.map(stamp));
    const changed = all.find((_path, i) => before[i] !== after[i]);
    if (changed !== undefined) throw new EngineError('input_changed', `${changed} changed while it was being merged`);
  };
  return { paths, verifyUnchanged };
}

function* slicesOfShards(plan: MergePlan, shards: readonly number[]): Generator<TensorSlice> {
  for (const index of shards) {
    for (const { operation } of plan.shards[index]?.tensors ?? []) {
      yield* slicesOf(operation);
    }
  }
}
