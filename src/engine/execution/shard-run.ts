import { EngineError } from '../errors.js';
import { methodOf } from '../methods/registry.js';
import type { Statistic } from '../methods/method.js';
import type { PlanShard } from '../plan/merge-plan.js';
import { type RangeReport, type TensorReport, tensorReport } from '../report/tensor-report.js';
import type { MergeThreads } from './merge-threads.js';
import type { ExecuteOptions } from './options.js';
import { type NewTask, type TensorJob, tensorJob } from './task-list.js';
import type { ShardDigest } from './shard-digest.js';
import type { Task, TaskResult, WorkerSetup } from './task.js';
import { WorkerPool } from './worker-pool.js';
import { Arena } from './workspace.js';

/** Small tasks travel together up to this much input, so that 20,000 small tensors do not mean 20,000 messages. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_TASKS = 64;

/** What the shards of one merge share: the threads and the hasher. */
export interface ShardContext {
  setup: WorkerSetup;
  threads: number;
  arena: Arena;
  pool: WorkerPool;
  digest: ShardDigest | undefined;
  /** The shard that the threads work for now. */
  current: ShardRun | undefined;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

interface Step {
  job: TensorJob;
  order: number;
  results: Statistic[][];
  reports: (RangeReport | undefined)[];
  missing: number;
}

/** Merges the tensors of one shard into its partial file. */
export class ShardRun {
  private readonly ready: Task[] = [];
  private readonly steps = new Map<number, { step: Step; at: number }>();
  private readonly isDone: boolean[];
  private readonly tensorReports: TensorReport[] = [];
  private nextTensor = 0;
  private nextId = 0;
  private doneUpTo = 0;
  private settle: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(
    private readonly context: ShardContext,
    private readonly shard: PlanShard,
    private readonly index: number,
    private readonly path: string,
  ) {
    this.isDone = shard.tensors.map(() => false);
  }

  static openContext(setup: WorkerSetup, threads: MergeThreads, digest: ShardDigest | undefined): ShardContext {
    const context: ShardContext = {
      setup,
      threads: threads.count,
      arena: new Arena(setup.kernels),
      digest,
      current: undefined,
      pool: new WorkerPool(
        setup,
        threads,
        () => context.current?.pull() ?? [],
        (results) => context.current?.receive(results),
        (error) => context.current?.fail(error),
      ),
      close: async () => {
        await context.pool.close();
        digest?.close();
      },
      abandon: async () => {
        Atomics.store(new Int32Array(setup.stop), 0, 1);
        await Promise.all([context.pool.terminate(), digest?.terminate()]);
      },
    };
    return context;
  }

  /** @returns SHA-256 of the finished file, where digests are taken */
  async run(options: ExecuteOptions): Promise<string | undefined> {
    const cancel = (): void => this.fail(new EngineError('merge_cancelled', 'the merge was cancelled'));
    options.signal?.addEventListener('abort', cancel);
    this.onTensor = (tensor, statistics, report) =>
      options.onEvent?.({ type: 'tensor', shard: this.index, tensor, statistics, report });
    try {
      await new Promise<void>((resolve, reject) => {
        this.settle = { resolve, reject };
        this.context.current = this;
        if (options.signal?.aborted === true) return cancel();
        if (this.shard.tensors.length === 0) return resolve();
        this.context.pool.wake();
      });
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      this.context.current = undefined;
    }
    return this.context.digest?.finish(this.path, this.shard.bytes);
  }

  /** What was done to each tensor, in the order of the shard. */
  reports(): TensorReport[] {
    return this.tensorReports;
  }

  private onTensor: (tensor: string, statistics: Statistic[], report: TensorReport) => void = () => undefined;

  private fail(error: unknown): void {
    this.settle?.reject(error);
  }

  private pull(): Task[] {
    const batch: Task[] = [];
    let bytes = 0;
    while (batch.length < BATCH_TASKS) {
      if (this.ready.length === 0 && !this.openNextTensor()) break;
      const task = this.ready[0];
      if (task === undefined) continue;
      const size = this.sizeOf(task);
      if (batch.length > 0 && bytes + size > BATCH_BYTES) break;
      batch.push(task);
      this.ready.shift();
      bytes += size;
    }
    return batch;
  }

  private sizeOf(task: Task): number {
    const entry = this.steps.get(task.id);
    return entry === undefined ? 0 : entry.step.job.bytes / Math.max(1, entry.step.results.length);
  }

  private openNextTensor(): boolean {
    const order = this.nextTensor;
    const tensor = this.shard.tensors[order];
    if (tensor === undefined) return false;
    this.nextTensor++;
    const job = tensorJob(tensor, this.path, this.context.threads, (operation, pass, found, partials) => {
      this.context.arena.reset();
      const workspace = this.context.arena.workspace(operation.work);
      return methodOf(operation).combine(operation, pass, found, partials, workspace);
    });
    this.startStep(job, order, job.first());
    return true;
  }

  private startStep(job: TensorJob, order: number, tasks: NewTask[], last?: Step): void {
    if (tasks.length === 0) return this.finishTensor(job, order, last?.reports ?? []);
    const step: Step = { job, order, results: tasks.map(() => []), reports: [], missing: tasks.length };
    tasks.forEach((task, at) => {
      const id = this.nextId++;
      this.steps.set(id, { step, at });
      this.ready.push({ ...task, id });
    });
  }

  private receive(results: TaskResult[]): void {
    for (const { id, statistics, report } of results) {
      const entry = this.steps.get(id);
      if (entry === undefined) continue;
      this.steps.delete(id);
      const { step, at } = entry;
      step.results[at] = statistics;
      step.reports[at] = report;
      step.missing--;
      if (step.missing === 0) this.startStep(step.job, step.order, step.job.next(step.results.flat()), step);
    }
  }

  private finishTensor(job: TensorJob, order: number, ranges: readonly (RangeReport | undefined)[]): void {
    this.isDone[order] = true;
    const report = tensorReport(
      job.tensor,
      ranges.filter((range) => range !== undefined),
    );
    this.tensorReports[order] = report;
    this.onTensor(job.tensor.name, job.found, report);
    const before = this.doneUpTo;
    while (this.isDone[this.doneUpTo] === true) this.doneUpTo++;
    const last = this.shard.tensors[this.doneUpTo - 1];
    if (this.doneUpTo > before && last !== undefined) {
      this.context.digest?.follow(this.path, last.offset + last.bytes);
    }
    if (this.doneUpTo === this.shard.tensors.length) this.settle?.resolve();
  }
}
