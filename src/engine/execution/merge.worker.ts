import { parentPort } from 'node:worker_threads';
import { EngineError } from '../errors.js';
import { OpenFiles } from './file-access.js';
import type { Task, TaskResult, WorkerAnswer, WorkerMessage, WorkerSetup } from './task.js';
import { TensorRunner } from './tensor-runner.js';
import { Arena } from './workspace.js';

/** Of the merge that this thread works for. */
let paths: WorkerSetup['paths'] = [];
let runner: TensorRunner | undefined;
/** Of all merges, one after the other. */
let arena: Arena | undefined;
const files = new OpenFiles();

function begin(setup: WorkerSetup): WorkerAnswer {
  ({ paths } = setup);
  arena ??= new Arena(setup.kernels, ({ input, file, offset }, target) => {
    files.read(paths[input]?.[file] ?? '', target, offset);
  });
  runner = new TensorRunner(setup, arena, files);
  return { kind: 'ready' };
}

function finish(): WorkerAnswer {
  files.close();
  runner = undefined;
  return { kind: 'finished' };
}

function work(tasks: readonly Task[]): WorkerAnswer {
  let tensor = '';
  try {
    const results = tasks.map((task) => {
      tensor = task.tensor;
      if (runner === undefined) throw new Error('there is no merge to work for');
      return runner.run(task);
    });
    return { kind: 'done', results };
  } catch (error) {
    return describe(error, tensor);
  }
}

function answer(message: WorkerAnswer): void {
  parentPort?.postMessage(message, message.kind === 'done' ? countersOf(message.results) : []);
}

/** Far below the counters of a selection, which are megabytes a tensor. */
const LARGE_BYTES = 64 * 1024;

/**
 * Large statistics change hands instead of being copied: what a thread kept of them would be garbage that its own small
 * heap gives no reason to collect.
 */
function countersOf(results: readonly TaskResult[]): ArrayBuffer[] {
  const values = results.flatMap(({ statistics }) => statistics.flatMap((statistic) => Object.values(statistic)));
  const buffers = values.flatMap((value) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []));
  return [...new Set(buffers)].filter(({ byteLength }) => byteLength >= LARGE_BYTES);
}

function describe(error: unknown, tensor: string): WorkerAnswer {
  const known = error instanceof EngineError ? error.code : (error as NodeJS.ErrnoException).code;
  const { message, stack } = error as Error;
  return { kind: 'failed', code: known, message, tensor, stack };
}

parentPort?.on('message', (message: WorkerMessage) => {
  if (message === 'finish') answer(finish());
  else if (Array.isArray(message)) answer(work(message));
  else answer(begin(message));
});
